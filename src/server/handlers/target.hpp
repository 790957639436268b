#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::server {

/// The path of a request target, split at '/' and then decoded, so that an encoded '/' stays in its
/// segment.
/// @throws failure  400: a malformed escape, a control character, no UTF-8
std::vector<std::string> path_segments(std::string_view target);

/// The target with other text in place of `count` segments from the one numbered `first` on.
std::string replace_segments(std::string_view target, std::size_t first, std::size_t count,
                             std::string_view text);

/// What stands behind '?'. @throws failure  400: a malformed escape
std::string query_of(std::string_view target);

/// Whether a flag is set in an encoded query: "true" or "1".
bool query_flag(std::string_view query, std::string_view key);
/// All values of a key, `key[]` as well.
std::vector<std::string> query_values(std::string_view query, std::string_view key);

}  // namespace cohub::server
