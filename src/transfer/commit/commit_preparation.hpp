#pragma once

#include "transfer/upload/commit_in_progress.hpp"

#include <vector>

/// What comes before a commit is posted (hub-protocol, sections 7.1 to 7.4).
namespace cohub::transfer {

/// Plans the operations: opens all contents, so that what is missing is found before the first
/// request, reads sources, lets the Hub check a model card, and looks up what copies stand for.
awaitable<void> open_commit(context_ptr shared, commit_ptr commit,
                            std::vector<commit_operation> operations);

/// Asks the Hub which files are large, ignored or unchanged, and uploads the large ones that it
/// does not have. Done again after the branch has moved, it repeats only what that has changed.
awaitable<void> prepare_commit(context_ptr shared, commit_ptr commit);

}  // namespace cohub::transfer
