#pragma once

#include "cohub/commit.hpp"

#include "transfer/upload/commit_in_progress.hpp"

#include <string>
#include <vector>

namespace cohub::transfer {

/// A commit of nothing yet, for `open_commit`.
commit_ptr begin_commit(const context_ptr& shared, std::string repo_id, std::string message,
                        create_commit_options options);

/// Where the deletions of a commit come from.
enum class deletions {
  named,  ///< by the caller: what is not there is an error
  listed  ///< by the repository: others may have deleted some meanwhile
};

/// `client::create_commit`.
awaitable<commit_info> create_commit(context_ptr shared, std::string repo_id,
                                     std::vector<commit_operation> operations, std::string message,
                                     create_commit_options options,
                                     deletions which = deletions::named);

}  // namespace cohub::transfer
