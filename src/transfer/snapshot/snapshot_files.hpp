#pragma once

#include "transfer/bounded_queue.hpp"
#include "transfer/snapshot/snapshot_request.hpp"

namespace cohub::transfer {

/// Downloads what comes out of `missing`, which outlives the call, until that is closed:
/// `max_workers` files at once, all within the client's connections and buffers.
///
/// Small files for the cache are received into memory one after the other while the pool checks and
/// writes those that came before, many in one job: a hop between threads for each would cost more
/// than the file.
awaitable<void> fetch_queued(snapshot_ptr wanted, bounded_queue<snapshot_file>& queue);

}  // namespace cohub::transfer
