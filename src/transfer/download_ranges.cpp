#include "transfer/download_ranges.hpp"

#include "io/on_pool.hpp"
#include "transfer/range_plan.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

/// Bytes that one job of the pool digests before others get their turn.
constexpr std::uint64_t digest_step = 4u << 20;

/// Ends the workers: no range can be had.
struct range_ignored {};

struct ranges_state {
  fetch_ptr fetch{};
  range_plan plan;
  bool fetched = false;  // nothing more will be written
};
using ranges_ptr = std::shared_ptr<ranges_state>;

awaitable<void> digest_some(fetch_ptr self, std::uint64_t end) {
  auto work = [partial = self->partial, digest = self->digest, end] {
    digest->catch_up(partial->content(), end, digest_step);
  };
  auto digesting = io::on_pool(self->shared->pool, std::move(work));
  co_await std::move(digesting);
}

/// Digests behind the writers until all is written and digested.
awaitable<void> follow_front(ranges_ptr state) {
  const auto self = state->fetch;
  while (self->digest->active()) {
    const auto end = self->partial->front();
    if (self->digest->front() < end) {
      auto digesting = digest_some(self, end);
      co_await std::move(digesting);
    } else if (end == self->what.size || state->fetched) {
      break;
    } else {
      co_await self->written.wait();
    }
  }
}

/// Fetches one range, and goes on where it stopped after a failure.
awaitable<void> fetch_range(fetch_ptr self, core::byte_range range, block_pair& memory) {
  retry_counter counter(self->shared->retries);
  for (;;) {
    const auto begin = range.begin;
    auto opening = open_content(self, range, true);
    auto opened = co_await std::move(opening);
    if (opened.ignored_range) throw range_ignored();
    if (!opened.failure) {
      opened.failure = co_await receive_content(self, opened.answer, range, memory);
      if (!opened.failure) co_return;
      opened.may_retry = may_retry(opened.failure);
    }
    if (range.begin != begin) counter.progressed();
    opened.answer = {};  // closes the connection, which the next try may need
    co_await wait_to_retry(self, counter, opened);
  }
}

awaitable<void> fetch_ranges(ranges_ptr state) {
  auto allocating = acquire_blocks(state->fetch->shared);
  auto memory = co_await std::move(allocating);
  while (const auto range = state->plan.take()) co_await fetch_range(state->fetch, *range, memory);
}

awaitable<void> run_workers(ranges_ptr state, std::size_t count) {
  const auto executor = co_await asio::this_coro::executor;
  using operation = decltype(asio::co_spawn(executor, fetch_ranges(state), asio::deferred));
  std::vector<operation> workers;
  for (std::size_t i = 0; i < count; ++i)
    workers.push_back(asio::co_spawn(executor, fetch_ranges(state), asio::deferred));
  if (workers.empty()) co_return;
  auto group = asio::experimental::make_parallel_group(std::move(workers));
  auto outcome =
      co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  auto& [order, failures] = outcome;
  for (const std::size_t i : order)
    if (failures[i]) std::rethrow_exception(failures[i]);
}

awaitable<void> fetch_all(ranges_ptr state) {
  const auto pieces = state->plan.pieces_left();
  auto running = run_workers(state, std::min(state->fetch->settings.connections, pieces));
  co_await std::move(running);
  state->fetched = true;
  state->fetch->written.notify();
}

}  // namespace

awaitable<void> catch_up_digest(fetch_ptr self) {
  while (self->digest->active() && self->digest->front() < self->partial->front()) {
    auto digesting = digest_some(self, self->partial->front());
    co_await std::move(digesting);
  }
}

awaitable<ranges_outcome> download_ranges(fetch_ptr self) {
  range_plan plan(self->partial->done(), self->what.size, self->settings.chunk_size);
  const auto state = std::make_shared<ranges_state>(ranges_state{self, std::move(plan), false});
  const auto executor = co_await asio::this_coro::executor;
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, fetch_all(state), asio::deferred),
      asio::co_spawn(executor, follow_front(state), asio::deferred));
  auto outcome =
      co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  auto& [order, fetching, following] = outcome;
  if (order[0] == 1 && following) std::rethrow_exception(following);
  try {
    if (fetching) std::rethrow_exception(fetching);
  } catch (const range_ignored&) {
    co_return ranges_outcome::ignored;
  }
  if (following) std::rethrow_exception(following);
  co_return ranges_outcome::complete;
}

awaitable<void> download_stream(fetch_ptr self) {
  auto allocating = acquire_blocks(self->shared);
  auto memory = co_await std::move(allocating);
  retry_counter counter(self->shared->retries);
  core::byte_range range{self->partial->front(), self->what.size};
  std::uint64_t farthest = range.begin;
  while (!range.empty()) {
    // What the disk holds beyond the front came from ranges; a stream brings it again.
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
      opened.failure = co_await receive_content(self, opened.answer, range, memory);
      if (!opened.failure) break;
      opened.may_retry = may_retry(opened.failure);
    }
    // A server without ranges starts over each time: only what was never reached before counts.
    if (range.begin > farthest) counter.progressed();
    farthest = std::max(farthest, range.begin);
    opened.answer = {};
    co_await wait_to_retry(self, counter, opened);
  }
  auto digesting = catch_up_digest(self);
  co_await std::move(digesting);
}

}  // namespace cohub::transfer
