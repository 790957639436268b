#pragma once

#include "cache/tree_reader.hpp"
#include "transfer/bounded_queue.hpp"
#include "transfer/snapshot/snapshot_request.hpp"

#include <memory>
#include <vector>

namespace cohub::transfer {

/// Puts the files of the snapshot that are not there yet into `missing`, which outlives the call,
/// page by page while the rest of the listing is still to come, and closes it. A listing that came
/// from the Hub is kept for the next time.
/// @returns the listing as it is kept; null if it is not
awaitable<std::shared_ptr<cache::tree_reader>> list_missing(snapshot_ptr wanted,
                                                            bounded_queue<snapshot_file>& missing);

/// All files of the snapshot, there or not; nothing is kept.
awaitable<std::vector<snapshot_file>> list_all(snapshot_ptr wanted);

}  // namespace cohub::transfer
