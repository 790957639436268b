#pragma once

#include "cohub/repository.hpp"

#include "transfer/context.hpp"

#include <string>

/// Operations of `client` on repositories; see there.
namespace cohub::repository {

awaitable<repo_url> create(transfer::context_ptr shared, std::string repo_id,
                           create_repo_options options);
awaitable<void> remove(transfer::context_ptr shared, std::string repo_id,
                       delete_repo_options options);
awaitable<bool> has_file(transfer::context_ptr shared, std::string repo_id, std::string path,
                         file_exists_options options);
awaitable<user_info> whoami(transfer::context_ptr shared, whoami_options options);

}  // namespace cohub::repository
