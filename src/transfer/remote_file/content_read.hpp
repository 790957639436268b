#pragma once

#include "cohub/awaitable.hpp"

#include "core/byte_range.hpp"
#include "http/transport.hpp"
#include "transfer/download/content_fetch.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

/// Reading parts of a content into memory, without a file.
namespace cohub::transfer {

/// Thrown where a part is wanted, and the server sends the whole or nothing.
struct whole_content_only {};

/// What the readings of one content share.
struct content_reading : content_session {
  /// That the content changed on the server; nothing is read of it from then on.
  std::exception_ptr changed{};
};
using reading_ptr = std::shared_ptr<content_reading>;

reading_ptr make_content_reading(asio::any_io_executor executor, context_ptr shared,
                                 content_description what,
                                 std::shared_ptr<cohub::observer> observer);

/// Fills `room`, as large as `range`, over one request, or several after failures: each goes on at
/// the byte where the last one stopped. `landed`, which may be empty, is told of every so many
/// bytes more. Both are lent by a caller that awaits in the same scope.
/// @throws whole_content_only  unless the range is the whole content
/// @throws error  errc::content_mismatch, errc::truncated_body, ...
awaitable<void> read_range(reading_ptr self, core::byte_range range, std::span<std::byte> room,
                           const std::function<void(std::size_t)>& landed);

/// The same in parallel ranges, at most `connections` in flight, where it is worth it. `room` is
/// lent by a caller that awaits in the same scope.
awaitable<void> read_ranges(reading_ptr self, std::uint64_t offset, std::span<std::byte> room,
                            std::size_t connections);

/// The content as one stream from its start.
struct whole_stream {
  http::response answer{};
  core::origin origin{};  ///< that it comes from
  std::uint64_t at = 0;   ///< of the next byte
  bool open = false;

  /// Bytes to be dropped on the way to `offset`.
  std::uint64_t distance_to(std::uint64_t offset) const noexcept {
    return open && at <= offset ? offset - at : offset;
  }
};

/// Fills `room` from `offset`, reading through what lies before. After a failure the stream begins
/// anew. Both are lent by a caller that awaits in the same scope; after an exception the stream is
/// closed.
awaitable<void> read_through(reading_ptr self, whole_stream& stream, std::uint64_t offset,
                             std::span<std::byte> room);

}  // namespace cohub::transfer
