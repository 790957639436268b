#include "transfer/memory_budget.hpp"

#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>

#include <vector>

using namespace cohub;
using transfer::memory_budget;

TEST_CASE("shares are taken, given back, and cut to the whole") {
  asio::io_context context;
  const auto budget = std::make_shared<memory_budget>(100);
  {
    const auto share = test::run(context, memory_budget::acquire(budget, 60));
    CHECK(budget->free_bytes() == 40);
    auto other = test::run(context, memory_budget::acquire(budget, 40));
    CHECK(budget->free_bytes() == 0);
    other = {};
    CHECK(budget->free_bytes() == 40);
  }
  const auto all = test::run(context, memory_budget::acquire(budget, 1'000));
  CHECK(budget->free_bytes() == 0);
}

TEST_CASE("who asks for more than is free waits in line, the small behind the large") {
  asio::io_context context;
  const auto budget = std::make_shared<memory_budget>(100);
  auto held = test::run(context, memory_budget::acquire(budget, 50));
  std::vector<int> order;
  std::vector<memory_budget::share> shares;
  for (const auto& [name, bytes] : std::vector<std::pair<int, std::uint64_t>>{{1, 80}, {2, 20}})
    asio::co_spawn(context, memory_budget::acquire(budget, bytes),
                   [&order, &shares, n = name](std::exception_ptr, memory_budget::share share) {
                     order.push_back(n);
                     shares.push_back(std::move(share));
                   });
  context.restart();
  context.run_for(std::chrono::milliseconds(10));
  CHECK(order.empty());
  held = {};
  context.restart();
  context.run();
  CHECK(order == std::vector<int>{1, 2});
  CHECK(budget->free_bytes() == 0);
}

TEST_CASE("who stops waiting lets the next in line go") {
  asio::io_context context;
  const auto budget = std::make_shared<memory_budget>(100);
  auto held = test::run(context, memory_budget::acquire(budget, 50));
  asio::cancellation_signal stop;
  bool stopped = false;
  bool served = false;
  asio::co_spawn(
      context, memory_budget::acquire(budget, 100),
      asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e, memory_budget::share) {
        stopped = e != nullptr;
      }));
  asio::co_spawn(context, memory_budget::acquire(budget, 50),
                 [&](std::exception_ptr e, memory_budget::share) { served = e == nullptr; });
  context.restart();
  context.run_for(std::chrono::milliseconds(5));
  CHECK_FALSE(served);
  stop.emit(asio::cancellation_type::terminal);
  context.restart();
  context.run();
  CHECK(stopped);
  CHECK(served);
  CHECK(budget->free_bytes() == 50);
}

TEST_CASE("who does not wait gets what leaves enough for others, and nothing while they wait") {
  asio::io_context context;
  const auto budget = std::make_shared<memory_budget>(100);
  CHECK_FALSE(memory_budget::try_acquire(budget, 61, 40).has_value());
  auto taken = memory_budget::try_acquire(budget, 60, 40);
  REQUIRE(taken.has_value());
  CHECK(budget->free_bytes() == 40);
  bool served = false;
  asio::co_spawn(context, memory_budget::acquire(budget, 50),
                 [&](std::exception_ptr, memory_budget::share) { served = true; });
  context.restart();
  context.run_for(std::chrono::milliseconds(10));
  REQUIRE_FALSE(served);
  CHECK_FALSE(memory_budget::try_acquire(budget, 1, 0).has_value());
  taken.reset();
  context.restart();
  context.run();
  CHECK(served);
  CHECK(budget->free_bytes() == 100);
  CHECK(memory_budget::try_acquire(nullptr, 1'000, 1'000).has_value());  // no bound
}
