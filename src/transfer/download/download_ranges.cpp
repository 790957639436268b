#include "transfer/download/download_ranges.hpp"

#include "cohub/error.hpp"

#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "transfer/download/connection_governor.hpp"
#include "transfer/download/range_scheduler.hpp"
#include "transfer/report_event.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace cohub::transfer {

namespace {

/// How long the checksum may have a thread of the pool before others get their turn; a cancelled
/// download waits no longer than that either.
constexpr std::chrono::milliseconds digest_turn{30};
/// Connections pause while the checksum falls so many bytes behind: what it lags at the end is
/// waited for, on one core, while the others have nothing to do any more.
constexpr std::uint64_t longest_lag = 64u << 20;

/// Answers to ranges with the whole content, one after the other, that are taken for mishaps.
constexpr std::size_t most_ignored = 3;

/// End the workers: all bytes have come, or no range can be had.
struct all_fetched {};
struct range_ignored {};

struct ranges_state {
  ranges_state(fetch_ptr download, std::size_t connections, asio::any_io_executor executor)
      : fetch(std::move(download)),
        scheduler(fetch->partial->done(), fetch->what.size, fetch->settings.chunk_size),
        governor(connections, transfer_clock::now()),
        allowed_lag(lag() + longest_lag),
        changed(std::move(executor)) {}

  /// Bytes that the checksum could have seen and has not.
  std::uint64_t lag() const {
    const auto digested = fetch->digest->front();  // first: what is written runs ahead of it
    return fetch->partial->front() - digested;
  }
  bool checksum_lags() const { return fetch->digest->active() && lag() > allowed_lag; }

  fetch_ptr fetch;
  range_scheduler scheduler;
  connection_governor governor;
  std::uint64_t allowed_lag;  // what an earlier process left is digested beside the transfer
  io::signal changed;         // a worker may find something to do
  std::size_t ignored = 0;    // ranges, since one was honoured
  bool honoured = false;      // a range, by some node of the store
  bool fetched = false;       // nothing more will be written
};
using ranges_ptr = std::shared_ptr<ranges_state>;

awaitable<void> digest_some(fetch_ptr self, std::uint64_t end) {
  auto work = [self, end] {
    const auto block = self->shared->blocks->take();
    self->digest->catch_up(self->partial->content(), end,
                           std::chrono::steady_clock::now() + digest_turn, block.bytes());
  };
  co_await io::on_pool(self->shared->pool, std::move(work));
}

/// Digests behind the writers until all is written and digested.
awaitable<void> follow_front(ranges_ptr state) {
  const auto self = state->fetch;
  while (self->digest->active()) {
    const auto end = self->partial->front();
    if (self->digest->front() < end) {
      co_await digest_some(self, end);
      state->changed.notify();
    } else if (end == self->what.size || state->fetched) {
      break;
    } else {
      co_await self->written.wait();
    }
  }
}

/// One connection's part in the download.
struct worker {
  worker(const context& shared, transfer_clock::time_point now)
      : counter(shared.retries, shared.turns->activity()), meter(now) {}
  retry_counter counter;
  rate_meter meter;
};

/// Reads the answer, which ends at `end`, into the piece, until that has all of it or another has
/// taken over what is left. Yields what ended it early. The references outlive the call.
awaitable<std::exception_ptr> receive_piece(ranges_ptr state, http::response& answer,
                                            range_piece_ptr piece, std::uint64_t end,
                                            worker& self) {
  const auto& fetch = state->fetch;
  while (piece->left.begin < std::min(piece->left.end, end)) {
    const core::byte_range rest{piece->left.begin, std::min(piece->left.end, end)};
    const auto part = co_await receive_part(fetch, answer, rest);
    const auto now = transfer_clock::now();
    const auto counted = state->scheduler.advance(*piece, part.count, now);
    state->governor.count(counted);
    self.meter.add(part.count, now);
    if (counted > 0) {
      fetch->progress.add(counted);
      self.counter.progressed(counted);
      fetch->written.notify();
    }
    if (part.failure && !piece->left.empty()) co_return part.failure;
  }
  std::exception_ptr failure;
  const bool is_whole = piece->left.end == end;  // else another took over what is still to come
  if (is_whole) failure = co_await check_end(fetch, answer);
  co_return failure;
}

/// A range that was answered with the whole content. Where others were honoured it is one node of a
/// store that knows no better, and the next may.
void note_ignored(ranges_state& state, opened_content& opened) {
  const auto most = std::min(most_ignored, state.fetch->shared->retries.attempts - 1);
  if (!state.honoured || ++state.ignored > most) throw range_ignored();
  opened.failure = std::make_exception_ptr(
      error(errc::invalid_response, "downloading " + state.fetch->what.name +
                                        ": the whole content came where a range was asked for"));
  opened.may_retry = true;
  opened.asked = std::chrono::milliseconds(0);  // another node needs no rest
}

/// Fetches one piece; after a failure, what is left of it is for whoever comes first. `self`
/// outlives the call.
awaitable<void> fetch_piece(ranges_ptr state, range_piece_ptr piece, worker& self,
                            content_turns::turn turn) {
  const auto& fetch = state->fetch;
  while (!piece->left.empty()) {
    const auto asked = piece->left;
    const auto asked_at = transfer_clock::now();
    auto wanted = [piece] { return !piece->left.empty(); };
    auto opened = co_await open_content(fetch, asked, true, std::move(wanted));
    const auto answered_at = transfer_clock::now();
    if (opened.ignored_range) note_ignored(*state, opened);
    if (!opened.failure) {
      state->honoured = true;
      state->ignored = 0;
      state->scheduler.begin(*piece, answered_at - asked_at, answered_at);
      auto failure = co_await receive_piece(state, opened.answer, piece, opened.range.end, self);
      if (!failure) continue;  // unless that was all
      opened.fail(std::move(failure));
    }
    opened.answer = {};  // closes the connection, which the next try may need
    const bool is_taken = piece->left.empty() && piece->left.end < asked.end;
    if (is_taken) co_return;  // by another, who has it all: the failure concerns nobody
    if (opened.refused_range) throw range_ignored();
    if (opened.rate_limited) state->scheduler.ask_for_more();
    state->scheduler.give_back(*piece);
    state->changed.notify();
    co_await wait_to_retry(fetch, self.counter, opened, std::move(turn));
  }
}

/// The right to ask for one range. What others fetch is taken over only where nobody else has a use
/// for the connection.
awaitable<std::optional<content_turns::turn>> find_turn(ranges_ptr state) {
  const auto& turns = state->fetch->shared->turns;
  std::optional<content_turns::turn> turn;
  if (state->scheduler.has_missing()) {
    turn = co_await content_turns::take(turns);
    if (!state->scheduler.has_missing()) turn.reset();  // another was sooner
  } else {
    turn = content_turns::try_take(turns);
  }
  co_return turn;
}

awaitable<void> run_worker(ranges_ptr state, std::size_t index) {
  const auto& fetch = state->fetch;
  worker self(*fetch->shared, transfer_clock::now());
  const auto may_go = [state, index] {
    return index < state->governor.target() && !state->checksum_lags();
  };
  while (!state->scheduler.complete()) {
    std::optional<content_turns::turn> turn;
    if (may_go()) turn = co_await find_turn(state);
    range_scheduler::assignment given;
    if (turn && may_go()) {
      const auto now = transfer_clock::now();
      given = state->scheduler.take(self.meter.rate(now), state->governor.target(), now);
    }
    if (!given.piece) {
      turn.reset();
      co_await state->changed.wait();
      continue;
    }
    if (given.taken_over)
      report_event(fetch->observer, transfer_event::kind::resplit, fetch->what.name,
                   core::range_header(given.piece->left) + " goes to a faster connection");
    try {
      co_await fetch_piece(state, given.piece, self, std::move(*turn));
    } catch (const http::unwanted_request&) {  // another was sooner
    }
  }
  throw all_fetched();
}

/// Lets workers look again from time to time: there may be more of them wanted, or one of them too
/// slow.
awaitable<void> supervise(ranges_ptr state) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    timer.expires_after(connection_governor::interval);
    co_await timer.async_wait(asio::use_awaitable);
    state->governor.tick(transfer_clock::now(), state->scheduler.shortest_wait());
    state->changed.notify();
  }
}

awaitable<void> fetch_all(ranges_ptr state) {
  const auto workers = state->scheduler.pieces_at_first(state->fetch->settings.connections);
  auto part = [state](std::size_t index) {
    return index == 0 ? supervise(state) : run_worker(state, index - 1);
  };
  try {
    co_await io::run_all(1 + workers, std::move(part));
  } catch (const all_fetched&) {
    state->fetched = true;
  }
  state->fetch->written.notify();
}

}  // namespace

awaitable<void> catch_up_digest(fetch_ptr self) {
  while (self->digest->active() && self->digest->front() < self->partial->front()) {
    co_await digest_some(self, self->partial->front());
  }
}

awaitable<ranges_outcome> download_ranges(fetch_ptr self) {
  const auto executor = co_await asio::this_coro::executor;
  const auto state = std::make_shared<ranges_state>(self, self->settings.connections, executor);
  auto outcome = ranges_outcome::complete;
  auto part = [state](std::size_t index) {
    return index == 0 ? fetch_all(state) : follow_front(state);
  };
  try {
    co_await io::run_all(2, std::move(part));
  } catch (const range_ignored&) {
    outcome = ranges_outcome::ignored;
  }
  co_return outcome;
}

}  // namespace cohub::transfer
