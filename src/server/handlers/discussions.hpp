#pragma once

#include "server/store/discussion_store.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace cohub::server {

class git_repository;

constexpr std::size_t longest_title = 200;       ///< in characters
constexpr std::size_t longest_comment = 65'536;  ///< in bytes

/// Characters of UTF-8 text.
std::size_t count_characters(std::string_view text);
/// The first `most` characters of UTF-8 text.
std::string shortened(std::string_view text, std::size_t most);

/// A discussion under the next number that is free, which is not saved yet. Under the repository's
/// lock.
discussion new_discussion(const discussion_store& others, const git_repository& repository,
                          std::string title, std::string author);

/// Something that happens now.
discussion_event new_event(std::string type, std::string author, std::string text,
                           std::string subject = {});

}  // namespace cohub::server
