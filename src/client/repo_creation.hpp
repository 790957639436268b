#pragma once

#include "cohub/repository.hpp"

#include "transfer/context.hpp"

#include <string>

/// Operations of `client` that make repositories; see there.
namespace cohub::repository {

awaitable<repo_url> create(transfer::context_ptr shared, std::string repo_id,
                           create_repo_options options);
awaitable<repo_url> duplicate(transfer::context_ptr shared, std::string from_id, std::string to_id,
                              duplicate_repo_options options);
awaitable<std::string> full_name(transfer::context_ptr shared, std::string name,
                                 get_full_repo_name_options options);

/// The visibility that options ask for; empty: none.
/// @throws error  errc::invalid_argument: both are given, or one that repositories of the type
///                cannot have
std::string asked_visibility(const std::optional<bool>& is_private, const std::string& visibility,
                             repo_type type, const std::string& doing);

}  // namespace cohub::repository
