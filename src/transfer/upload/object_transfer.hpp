#pragma once

#include "cohub/awaitable.hpp"

#include "hub/lfs_batch.hpp"
#include "transfer/bounded_queue.hpp"
#include "transfer/upload/commit_in_progress.hpp"
#include "transfer/upload/lfs_requests.hpp"
#include "transfer/upload/object_upload.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

/// Brings one large object to the store: its pieces, its completion, and its journal, with other
/// addresses where those that the Hub gave have expired (hub-protocol, section 7.3).
namespace cohub::transfer {

struct piece_to_send {
  object_ptr object{};
  object_upload::piece piece{};
};

/// The objects of one commit that are on their way; shared by the coroutines that bring them.
struct object_transfers {
  /// Pieces that wait to be sent: their addresses expire.
  static constexpr std::size_t pieces_waiting = 64;

  object_transfers(context_ptr with, commit_ptr of, asio::any_io_executor executor)
      : shared(std::move(with)),
        commit(std::move(of)),
        pieces(std::move(executor), pieces_waiting) {}

  context_ptr shared;
  commit_ptr commit;
  bounded_queue<piece_to_send> pieces;  ///< closed when nothing is left to be sent
  std::size_t open_objects = 0;         ///< begun, and not there
  bool all_asked = false;               ///< no other is going to be begun

  void close_if_done() {
    if (all_asked && open_objects == 0) pieces.close();
  }
};
using transfers_ptr = std::shared_ptr<object_transfers>;

/// Names an object among those of all repositories: whoever sends it claims it by that, and it is
/// the key of its journal.
std::string object_key(const object_transfers& all, const std::string& oid);

/// Begins an object, where the Hub does not have it: its pieces are queued, unless an earlier
/// process has sent them all. Waits for room.
/// @param answer  the Hub's, where it is to go
awaitable<void> begin_object(transfers_ptr all, object_ptr object, hub::lfs_batch_answer answer);

/// Sends a piece out of the queue; after the last one of an object the store makes it of them, and
/// the Hub is told.
awaitable<void> send_piece(transfers_ptr all, piece_to_send next);

}  // namespace cohub::transfer
