#pragma once

#include "transfer/bounded_queue.hpp"
#include "transfer/snapshot/snapshot_request.hpp"

#include <vector>

namespace cohub::transfer {

/// Puts the files of the snapshot that are not there yet into `missing`, which outlives the call,
/// page by page while the rest of the listing is still to come, and closes it. A listing that came
/// from the Hub is kept for the next time. `paths`, which outlives the call, gets those of all
/// files, there or not.
awaitable<void> list_missing(snapshot_ptr wanted, bounded_queue<snapshot_file>& missing,
                             std::vector<std::string>& paths);

/// All files of the snapshot, there or not; nothing is kept.
awaitable<std::vector<snapshot_file>> list_all(snapshot_ptr wanted);

}  // namespace cohub::transfer
