#pragma once

#include "cohub/repository.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <string_view>

namespace cohub::hub {

/// Refuses ids that no Hub accepts: errc::invalid_repository_id (hub-protocol, section 2.2).
boost::system::result<void> check_repo_id(std::string_view id);

std::string_view singular(repo_type type) noexcept;    ///< "model"
std::string_view plural(repo_type type) noexcept;      ///< "models": the API segment
std::string_view url_prefix(repo_type type) noexcept;  ///< "", "datasets/", ...
/// "model"; nothing for an unknown word.
std::optional<repo_type> parse_singular(std::string_view word) noexcept;
/// "models"; nothing for an unknown word.
std::optional<repo_type> parse_plural(std::string_view word) noexcept;

/// Whether a revision is a full commit id, which never changes its meaning: 40 lower-case hex
/// digits.
bool is_commit_id(std::string_view revision) noexcept;

/// Whether a text may name the parent of a commit: 5 to 40 hex digits of either case.
bool is_commit_prefix(std::string_view text) noexcept;

}  // namespace cohub::hub
