#include "transfer/download/download_stream.hpp"

#include "io/on_pool.hpp"
#include "transfer/download/download_ranges.hpp"

#include <algorithm>
#include <utility>

namespace cohub::transfer {

namespace {

/// Reads the answer, which brings `range`, into the partial; `begin` follows what is written.
/// Yields what ended it early. The references outlive the call.
awaitable<std::exception_ptr> receive_rest(fetch_ptr self, http::response& answer,
                                           core::byte_range range, std::uint64_t& begin) {
  while (!range.empty()) {
    const auto part = co_await receive_part(self, answer, range);
    range.begin += part.count;
    begin = range.begin;
    self->progress.add(part.count);
    if (part.failure && !range.empty()) co_return part.failure;
  }
  co_return co_await check_end(self, answer);
}

/// Also so that the checksum does not run ahead of what the stream writes.
awaitable<void> forget_beyond_front(fetch_ptr self) {
  auto work = [partial = self->partial] { return partial->forget_beyond_front(); };
  const auto forgotten = co_await io::on_pool(self->shared->pool, std::move(work));
  self->progress.take_back(forgotten);
}

}  // namespace

awaitable<void> download_stream(fetch_ptr self) {
  const auto& turns = self->shared->turns;
  retry_counter counter(self->shared->retries, turns->activity());
  // What the disk holds beyond the front came from ranges; a stream brings it again.
  co_await forget_beyond_front(self);
  core::byte_range range{self->partial->front(), self->what.size};
  std::uint64_t farthest = range.begin;
  while (!range.empty()) {
    co_await catch_up_digest(self);
    auto turn = co_await content_turns::take(turns);
    auto opened = co_await open_content(self, range, range.begin > 0);
    if (opened.ignored_range || opened.refused_range) {
      self->progress.take_back(range.begin);
      range.begin = 0;
      auto work = [partial = self->partial, digest = self->digest] {
        partial->restart();
        digest->restart();
      };
      co_await io::on_pool(self->shared->pool, std::move(work));
    }
    if (opened.refused_range) continue;
    if (!opened.failure) {
      auto failure = co_await receive_rest(self, opened.answer, opened.range, range.begin);
      if (!failure) continue;  // unless that was all
      opened.fail(std::move(failure));
    }
    // A server without ranges starts over each time: only what was never reached before counts.
    if (range.begin > farthest) counter.progressed(range.begin - farthest);
    farthest = std::max(farthest, range.begin);
    opened.answer = {};
    co_await wait_to_retry(self, counter, opened, std::move(turn));
  }
  co_await catch_up_digest(self);
}

}  // namespace cohub::transfer
