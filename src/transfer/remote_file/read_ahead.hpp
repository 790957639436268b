#pragma once

#include "cohub/awaitable.hpp"

#include "io/fair_semaphore.hpp"
#include "transfer/remote_file/content_read.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace cohub::transfer {

/// Fetches a content ahead of one sequential reader.
///
/// What lies ahead is cut into segments, each with memory of its own and one ranged request,
/// several in flight. A segment is asked for only when there is memory for all of it: a reader that
/// pauses keeps no connection waiting. Little is fetched at first, more as reading in sequence goes
/// on. Memory comes from the client's budget, and only what that can spare: a reader that pauses
/// must not keep downloads waiting. Belongs to one executor.
class read_ahead {
 public:
  /// @param limit        bytes of memory at most, more than 0
  /// @param connections  requests in flight at most, more than 0
  read_ahead(asio::any_io_executor executor, reading_ptr fetch, std::uint64_t limit,
             std::size_t connections);
  read_ahead(read_ahead&&) = delete;
  /// Cancels what is in flight; it lets go of its memory when it has stopped.
  ~read_ahead();

  /// Copies what has arrived from `position`, less than the size of the content, waiting for the
  /// first byte of it. `into`, not empty, is lent by a caller that awaits in the same scope.
  /// @return bytes copied; 0: there is no memory to read ahead with
  /// @throws whole_content_only, error  what ended the fetching; the next call begins anew
  static awaitable<std::size_t> read_some(std::shared_ptr<read_ahead> self, std::uint64_t position,
                                          std::span<std::byte> into);

  /// Bytes of memory that may be in use, also of what is being cancelled.
  std::uint64_t limit() const noexcept { return limit_; }

 private:
  struct memory {
    io::fair_semaphore::permit permit{};
    std::shared_ptr<std::byte[]> bytes{};
  };
  struct segment;
  using segment_ptr = std::shared_ptr<segment>;

  static awaitable<void> fill(reading_ptr fetch, segment_ptr into);
  void move_to(std::uint64_t position);
  void fetch_more(std::uint64_t position);
  bool fetch_segment(std::uint64_t length);
  std::optional<memory> take_memory();
  void drop_front();
  void drop_all();

  asio::any_io_executor executor_;
  reading_ptr fetch_;
  std::uint64_t limit_;
  std::size_t connections_;
  std::uint64_t segment_size_;
  std::uint64_t sequential_ = 0;  // bytes read without a jump
  std::uint64_t end_ = 0;         // of what is fetched or being fetched
  std::deque<segment_ptr> segments_{};
  std::vector<memory> spare_{};
};

}  // namespace cohub::transfer
