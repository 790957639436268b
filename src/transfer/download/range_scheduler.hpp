#pragma once

#include "core/byte_range.hpp"
#include "transfer/download/range_set.hpp"
#include "transfer/download/rate_meter.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

/// Which bytes of a file are asked for next, and by whom. Pure: the time is an argument.
namespace cohub::transfer {

/// A range that somebody fetches. Its end sinks when another takes over its tail, down to nothing.
struct range_piece {
  range_piece(core::byte_range range, transfer_clock::time_point now)
      : left(range), started(now), meter(now) {}

  core::byte_range left;  ///< what is still to come
  transfer_clock::time_point started;
  transfer_clock::duration patience = std::chrono::milliseconds(500);  ///< it is left alone so long
  rate_meter meter;
};
using range_piece_ptr = std::shared_ptr<range_piece>;

/// Hands out a file's missing bytes in pieces of one request each, front first, since the checksum
/// follows the front. Once all are out, who is idle takes over what others are slow at, so that the
/// end does not wait for one slow connection. Who loses all of a piece starts its bytes anew
/// elsewhere, where they are given twice the time: however long answers take to begin, one does.
///
/// Pieces are as small as the wait for answers allows: what arrives far ahead of the front is read
/// back for the checksum, and the farther, the less of it is still in the processor's cache.
class range_scheduler {
 public:
  /// @param done        what is on disk already
  /// @param chunk_size  bytes of one request; zero: what takes much longer than the wait for it
  range_scheduler(const range_set& done, std::uint64_t size, std::uint64_t chunk_size);

  struct assignment {
    range_piece_ptr
        piece{};  ///< null: nothing to do at present; ask again later, unless `complete`
    bool taken_over = false;  ///< from another that was slow
  };
  /// @param rate     bytes a second that the asking connection has brought; zero: not known
  /// @param workers  connections in use
  assignment take(double rate, std::size_t workers, transfer_clock::time_point now);

  /// The shortest wait for an answer so far; zero: none has begun.
  transfer_clock::duration shortest_wait() const noexcept {
    return wait_ == transfer_clock::duration::max() ? transfer_clock::duration::zero() : wait_;
  }

  /// Whether there are bytes that nobody has been given.
  bool has_missing() const noexcept { return !missing_.empty(); }

  /// The piece's answer begins, `wait` after it was asked for: time before that says nothing of how
  /// fast its bytes come.
  void begin(range_piece& piece, transfer_clock::duration wait,
             transfer_clock::time_point now) noexcept;
  /// Bytes of the piece came; yields how many of them nobody else took over.
  std::uint64_t advance(range_piece& piece, std::uint64_t bytes, transfer_clock::time_point now);

  /// What is left of a piece is for whoever asks next.
  void give_back(range_piece& piece);
  /// The server counts requests: each shall bring more.
  void ask_for_more() noexcept { scale_ = std::min(2 * scale_, 32.0); }

  /// Whether all bytes have come.
  bool complete() const noexcept;
  /// How many pieces there would be at first, at most `limit`.
  std::size_t pieces_at_first(std::size_t limit) const noexcept;

 private:
  std::uint64_t next_size(double rate, std::size_t workers) const noexcept;
  assignment take_over(double rate, transfer_clock::time_point now);
  void forget_finished();

  std::uint64_t chunk_size_;
  double scale_ = 1;                                                 // of the pieces
  transfer_clock::duration wait_ = transfer_clock::duration::max();  // the shortest for an answer
  std::deque<core::byte_range> missing_{};
  std::uint64_t missing_bytes_ = 0;
  std::vector<range_piece_ptr> in_flight_{};
};

}  // namespace cohub::transfer
