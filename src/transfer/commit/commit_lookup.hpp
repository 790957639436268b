#pragma once

#include "transfer/upload/commit_in_progress.hpp"

#include <optional>

/// Questions about the branch that a commit goes to.
namespace cohub::transfer {

/// The head of the branch now; the whole info of an unchanged commit.
awaitable<commit_info> find_head(context_ptr shared, commit_ptr commit);

/// Looks for the commit among those that the branch got since `commit->head`, by its message and by
/// what it holds: its answer was lost, and it may have been made (hub-protocol, section 7.5).
awaitable<std::optional<commit_info>> find_made_commit(context_ptr shared, commit_ptr commit);

}  // namespace cohub::transfer
