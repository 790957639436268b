#include "transfer/download/range_scheduler.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace {

using namespace cohub::transfer;
using namespace std::chrono_literals;
using cohub::core::byte_range;

constexpr std::uint64_t mib = 1u << 20;

struct scheduler_fixture {
  transfer_clock::time_point now{};

  range_piece_ptr take(range_scheduler& from, double rate = 0, std::size_t workers = 4) {
    return from.take(rate, workers, now).piece;
  }
  /// Brings bytes of pieces over some time, in steps.
  void bring(range_scheduler& to, std::vector<std::pair<range_piece_ptr, std::uint64_t>> pieces,
             transfer_clock::duration time) {
    for (int step = 0; step < 16; ++step) {
      now += time / 16;
      for (const auto& [piece, bytes] : pieces) to.advance(*piece, bytes / 16, now);
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(scheduler_fixture, "chunks of a given size cover what is missing, front first") {
  range_set done;
  done.add({3 * mib, 4 * mib});
  range_scheduler plan(done, 6 * mib + 5, 2 * mib);
  CHECK(plan.pieces_at_first(16) == 2);
  CHECK(plan.pieces_at_first(1) == 1);
  const auto first = take(plan);
  CHECK(first->left == byte_range{0, 2 * mib});
  const auto second = take(plan);
  CHECK(second->left == byte_range{2 * mib, 3 * mib});
  const auto third = take(plan);
  CHECK(third->left == byte_range{4 * mib, 6 * mib});
  const auto last = take(plan);
  CHECK(last->left == byte_range{6 * mib, 6 * mib + 5});
  CHECK(take(plan) == nullptr);
  CHECK_FALSE(plan.complete());
  for (const auto& piece : {first, second, third, last})
    CHECK(plan.advance(*piece, piece->left.size(), now) > 0);
  CHECK(plan.complete());
}

TEST_CASE_FIXTURE(scheduler_fixture, "nothing missing is complete at once") {
  range_set done;
  done.add({0, 10});
  range_scheduler plan(done, 10, 0);
  CHECK(plan.complete());
  CHECK(take(plan) == nullptr);
}

TEST_CASE_FIXTURE(
    scheduler_fixture,
    "pieces are worth the wait for their answers, and shrink towards the end as far as they are") {
  range_scheduler plan({}, 1024 * mib, 0);
  const auto first = take(plan);
  CHECK(first->left.size() == 4 * mib);
  CHECK(take(plan, 100.0)->left.size() == 1 * mib);
  CHECK(take(plan, 1e12)->left.size() == 4 * mib);
  plan.begin(*first, 1ms, now);
  CHECK(take(plan, 300.0 * mib)->left.size() == 6 * mib);
  CHECK(take(plan, 3.0 * mib)->left.size() == 3 * mib);
  range_scheduler distant({}, 1024 * mib, 0);
  const auto asked = take(distant);
  distant.begin(*asked, 50ms, now);
  CHECK(take(distant, 8.0 * mib)->left.size() == 8 * mib);
  CHECK(take(distant, 1e12)->left.size() == 32 * mib);
  distant.begin(*asked, 40ms, now);
  distant.begin(*asked, 900ms, now);  // the shortest counts
  std::vector<std::uint64_t> sizes;
  while (const auto piece = take(distant, 40.0 * mib)) sizes.push_back(piece->left.size());
  CHECK(std::is_sorted(sizes.rbegin(), sizes.rend()));
  CHECK(sizes.front() == 32 * mib);
  REQUIRE(sizes.size() > 2);
  CHECK(sizes[sizes.size() - 2] == 4 * mib);
}

TEST_CASE_FIXTURE(scheduler_fixture, "an idle connection takes its share of the slowest piece") {
  range_scheduler plan({}, 64 * mib, 32 * mib);
  const auto fast = take(plan);
  const auto slow = take(plan);
  bring(plan, {{fast, 30 * mib}, {slow, 10 * mib}}, 1s);
  plan.advance(*fast, fast->left.size(), now);
  const auto given = plan.take(30.0 * mib, 2, now);
  REQUIRE(given.piece);
  CHECK(given.taken_over);
  CHECK(given.piece->left.end == 64 * mib);
  CHECK(slow->left.end == given.piece->left.begin);
  CHECK(given.piece->left.size() > 2 * slow->left.size());
  CHECK(given.piece->left.size() < 4 * slow->left.size());
}

TEST_CASE_FIXTURE(
    scheduler_fixture,
    "a stalled connection loses all of its piece, and what it brings late does not count") {
  range_scheduler plan({}, 64 * mib, 32 * mib);
  const auto fast = take(plan);
  const auto stalled = take(plan);
  bring(plan, {{fast, 32 * mib}}, 10s);
  const auto given = plan.take(10.0 * mib, 2, now);
  REQUIRE(given.piece);
  CHECK(given.piece->left == byte_range{32 * mib, 64 * mib});
  CHECK(stalled->left.empty());
  CHECK(plan.advance(*stalled, 1000, now) == 0);
  CHECK_FALSE(plan.complete());
  plan.advance(*given.piece, 32 * mib, now);
  CHECK(plan.complete());
}

TEST_CASE_FIXTURE(scheduler_fixture,
                  "a tail that ends soon, or has only begun, is left to its connection") {
  range_scheduler plan({}, 64 * mib, 32 * mib);
  const auto first = take(plan);
  const auto second = take(plan);
  CHECK(take(plan, 1e9) == nullptr);  // both have only begun
  bring(plan, {{first, 31 * mib}, {second, 31 * mib}}, 1s);
  CHECK(take(plan, 1e9) == nullptr);  // both end within a moment
}

TEST_CASE_FIXTURE(scheduler_fixture,
                  "a file comes to its end however long each answer takes to begin") {
  struct connection {
    range_piece_ptr piece{};
    transfer_clock::time_point answer{};
  };
  for (const auto latency : {300ms, 700ms, 2000ms, 7000ms}) {
    CAPTURE(latency.count());
    now = {};
    range_scheduler plan({}, 2 * mib, 1 * mib);
    std::vector<connection> connections(2);
    int resplits = 0;
    while (!plan.complete() && now.time_since_epoch() < 60s) {
      for (auto& one : connections) {
        if (one.piece && now >= one.answer) {  // what another has taken over is of no use
          plan.advance(*one.piece, one.piece->left.size(), now);
          one.piece.reset();
        }
        if (one.piece) continue;
        const auto given = plan.take(0, connections.size(), now);
        resplits += given.taken_over;
        one.piece = given.piece;
        one.answer = now + latency;
        now += 1ms;
      }
      now += 100ms;
    }
    CHECK(plan.complete());
    CHECK(resplits <= 8);
  }
}

TEST_CASE_FIXTURE(scheduler_fixture, "the time before an answer begins is not held against it") {
  range_scheduler plan({}, 64 * mib, 32 * mib);
  const auto fast = take(plan);
  const auto late = take(plan);
  bring(plan, {{fast, 32 * mib}}, 490ms);
  plan.begin(*late, 490ms, now);
  now += 400ms;
  plan.advance(*late, 1000, now);
  CHECK(take(plan, 1e9) == nullptr);
  now += 200ms;
  CHECK(take(plan, 1e9) != nullptr);
}

TEST_CASE("a rate sinks while nothing comes") {
  const transfer_clock::time_point start{};
  rate_meter meter(start);
  CHECK(meter.rate(start + 1s) == 0);
  for (int i = 1; i <= 100; ++i) meter.add(1000, start + i * 10ms);
  CHECK(meter.rate(start + 1s) == doctest::Approx(100'000).epsilon(0.2));
  CHECK(meter.rate(start + 10s) < 20'000);
}

TEST_CASE_FIXTURE(scheduler_fixture, "what is given back is the next to be handed out") {
  range_scheduler plan(range_set(), 6 * mib, 2 * mib);
  const auto first = take(plan);
  const auto second = take(plan);
  plan.advance(*first, mib, now);
  plan.give_back(*first);
  CHECK(first->left.empty());
  CHECK(plan.has_missing());
  CHECK_FALSE(plan.complete());
  CHECK(take(plan)->left == byte_range{mib, 2 * mib});
  plan.give_back(*second);
  CHECK(take(plan)->left == byte_range{2 * mib, 4 * mib});
  CHECK(take(plan)->left == byte_range{4 * mib, 6 * mib});
  plan.give_back(*first);  // nothing is left of it
  CHECK_FALSE(plan.has_missing());
}

TEST_CASE_FIXTURE(scheduler_fixture, "where requests are counted, each asks for more") {
  range_scheduler plan(range_set(), 1000 * mib, 0);
  CHECK(take(plan)->left.size() == 4 * mib);
  plan.ask_for_more();
  CHECK(take(plan)->left.size() == 8 * mib);
  for (int i = 0; i < 100; ++i) plan.ask_for_more();
  CHECK(take(plan)->left.size() == 32 * mib);
}
