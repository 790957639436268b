#include "transfer/download_stream.hpp"

#include "io/on_pool.hpp"
#include "transfer/download_ranges.hpp"

#include <algorithm>
#include <utility>

namespace cohub::transfer {

namespace {

/// Reads the answer into the partial; `range.begin` follows what is written. Yields what ended it
/// early. The references outlive the call.
awaitable<std::exception_ptr> receive_rest(fetch_ptr self, http::response& answer,
                                           core::byte_range& range) {
  while (!range.empty()) {
    const auto part = co_await receive_part(self, answer, range);
    range.begin += part.count;
    self->progress.add(part.count);
    if (part.failure && !range.empty()) co_return part.failure;
  }
  auto ending = check_end(self, answer);
  auto failure = co_await std::move(ending);
  co_return failure;
}

/// Also so that the checksum does not run ahead of what the stream writes.
awaitable<void> forget_beyond_front(fetch_ptr self) {
  auto work = [partial = self->partial] { return partial->forget_beyond_front(); };
  auto forgetting = io::on_pool(self->shared->pool, std::move(work));
  const auto forgotten = co_await std::move(forgetting);
  self->progress.take_back(forgotten);
}

}  // namespace

awaitable<void> download_stream(fetch_ptr self) {
  retry_counter counter(self->shared->retries);
  // What the disk holds beyond the front came from ranges; a stream brings it again.
  auto forgetting = forget_beyond_front(self);
  co_await std::move(forgetting);
  core::byte_range range{self->partial->front(), self->what.size};
  std::uint64_t farthest = range.begin;
  while (!range.empty()) {
    auto digesting = catch_up_digest(self);
    co_await std::move(digesting);
    auto opening = open_content(self, range, range.begin > 0);
    auto opened = co_await std::move(opening);
    if (opened.ignored_range) {
      self->progress.take_back(range.begin);
      range.begin = 0;
      auto work = [partial = self->partial, digest = self->digest] {
        partial->restart();
        digest->restart();
      };
      auto restarting = io::on_pool(self->shared->pool, std::move(work));
      co_await std::move(restarting);
    }
    if (!opened.failure) {
      auto failure = co_await receive_rest(self, opened.answer, range);
      if (!failure) break;
      opened.fail(std::move(failure));
    }
    // A server without ranges starts over each time: only what was never reached before counts.
    if (range.begin > farthest) counter.progressed(range.begin - farthest);
    farthest = std::max(farthest, range.begin);
    opened.answer = {};
    co_await wait_to_retry(self, counter, opened);
  }
  auto digesting = catch_up_digest(self);
  co_await std::move(digesting);
}

}  // namespace cohub::transfer
