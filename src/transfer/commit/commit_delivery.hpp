#pragma once

#include "transfer/upload/commit_in_progress.hpp"

namespace cohub::transfer {

/// Posts a prepared commit (hub-protocol, section 7.5), once: after an answer that was lost the
/// branch is looked at before the commit is sent again, on condition that nobody moved it since.
/// @throws error  errc::commit_conflict with the head that was found
awaitable<commit_info> deliver_commit(context_ptr shared, commit_ptr commit);

}  // namespace cohub::transfer
