#pragma once

#include "core/byte_range.hpp"
#include "transfer/range_set.hpp"

#include <cstdint>
#include <deque>
#include <optional>

namespace cohub::transfer {

/// Which bytes of a file are still to be asked for, in pieces of one request each, front first: the
/// checksum follows the front.
class range_plan {
 public:
  /// @param done  what is on disk already
  range_plan(const range_set& done, std::uint64_t size, std::uint64_t chunk_size);

  /// The next piece, of at most a chunk; nothing when all is given out.
  std::optional<core::byte_range> take();
  /// Puts back what was not fetched of a piece.
  void give_back(core::byte_range rest);
  /// How many pieces are to be taken.
  std::size_t pieces_left() const noexcept;

 private:
  std::uint64_t chunk_size_;
  std::deque<core::byte_range> missing_{};
};

}  // namespace cohub::transfer
