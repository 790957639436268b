#pragma once

#include "cohub/commit.hpp"

#include "transfer/context.hpp"

#include <string>
#include <vector>

namespace cohub::transfer {

/// `client::create_commit`.
awaitable<commit_info> create_commit(context_ptr shared, std::string repo_id,
                                     std::vector<commit_operation> operations, std::string message,
                                     create_commit_options options);

}  // namespace cohub::transfer
