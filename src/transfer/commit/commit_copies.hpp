#pragma once

#include "transfer/upload/commit_in_progress.hpp"

#include <memory>
#include <vector>

namespace cohub::transfer {

/// Looks up the sources of the planned copies and makes additions of them: of large files by their
/// sha256 alone, given to this repository first where they are another's; of small ones by way of
/// the cache (hub-protocol, section 7.4).
/// @throws error  errc::entry_not_found: there is no such source
awaitable<void> resolve_copies(context_ptr shared, commit_ptr commit,
                               std::shared_ptr<const std::vector<commit_operation>> operations);

/// Drops the copies of large files whose paths hold the same already. Copies of small files are
/// compared as all additions are.
awaitable<void> drop_unchanged_copies(context_ptr shared, commit_ptr commit);

}  // namespace cohub::transfer
