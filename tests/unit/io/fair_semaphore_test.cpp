#include "io/fair_semaphore.hpp"

#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <doctest/doctest.h>

#include <vector>

using namespace cohub;
using io::fair_semaphore;

TEST_CASE("shares are taken, given back, and cut to the whole") {
  asio::io_context context;
  const auto semaphore = std::make_shared<fair_semaphore>(100);
  {
    const auto permit = test::run(context, fair_semaphore::acquire(semaphore, 60));
    CHECK(semaphore->free_units() == 40);
    auto other = test::run(context, fair_semaphore::acquire(semaphore, 40));
    CHECK(semaphore->free_units() == 0);
    other = {};
    CHECK(semaphore->free_units() == 40);
  }
  const auto all = test::run(context, fair_semaphore::acquire(semaphore, 1'000));
  CHECK(semaphore->free_units() == 0);
}

TEST_CASE("who asks for more than is free waits in line, the small behind the large") {
  asio::io_context context;
  const auto semaphore = std::make_shared<fair_semaphore>(100);
  auto held = test::run(context, fair_semaphore::acquire(semaphore, 50));
  std::vector<int> order;
  std::vector<fair_semaphore::permit> permits;
  for (const auto& [name, bytes] : std::vector<std::pair<int, std::uint64_t>>{{1, 80}, {2, 20}})
    asio::co_spawn(context, fair_semaphore::acquire(semaphore, bytes),
                   [&order, &permits, n = name](std::exception_ptr, fair_semaphore::permit permit) {
                     order.push_back(n);
                     permits.push_back(std::move(permit));
                   });
  context.restart();
  context.poll();
  CHECK(order.empty());
  held = {};
  context.restart();
  context.run();
  CHECK(order == std::vector<int>{1, 2});
  CHECK(semaphore->free_units() == 0);
}

TEST_CASE("who stops waiting lets the next in line go") {
  asio::io_context context;
  const auto semaphore = std::make_shared<fair_semaphore>(100);
  auto held = test::run(context, fair_semaphore::acquire(semaphore, 50));
  asio::cancellation_signal stop;
  bool stopped = false;
  bool served = false;
  asio::co_spawn(
      context, fair_semaphore::acquire(semaphore, 100),
      asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e, fair_semaphore::permit) {
        stopped = e != nullptr;
      }));
  asio::co_spawn(context, fair_semaphore::acquire(semaphore, 50),
                 [&](std::exception_ptr e, fair_semaphore::permit) { served = e == nullptr; });
  context.restart();
  context.poll();
  CHECK_FALSE(served);
  stop.emit(asio::cancellation_type::terminal);
  context.restart();
  context.run();
  CHECK(stopped);
  CHECK(served);
  CHECK(semaphore->free_units() == 50);
}

TEST_CASE("who does not wait gets what leaves enough for others, and nothing while they wait") {
  asio::io_context context;
  const auto semaphore = std::make_shared<fair_semaphore>(100);
  CHECK_FALSE(fair_semaphore::try_acquire(semaphore, 61, 40).has_value());
  auto taken = fair_semaphore::try_acquire(semaphore, 60, 40);
  REQUIRE(taken.has_value());
  CHECK(semaphore->free_units() == 40);
  bool served = false;
  asio::co_spawn(context, fair_semaphore::acquire(semaphore, 50),
                 [&](std::exception_ptr, fair_semaphore::permit) { served = true; });
  context.restart();
  context.poll();
  REQUIRE_FALSE(served);
  CHECK_FALSE(fair_semaphore::try_acquire(semaphore, 1, 0).has_value());
  taken.reset();
  context.restart();
  context.run();
  CHECK(served);
  CHECK(semaphore->free_units() == 100);
  CHECK(fair_semaphore::try_acquire(nullptr, 1'000, 1'000).has_value());  // no bound
}

TEST_CASE("there may be fewer and more of them, whatever is out") {
  asio::io_context context;
  const auto semaphore = std::make_shared<fair_semaphore>(10);
  auto held = test::run(context, fair_semaphore::acquire(semaphore, 8));
  semaphore->resize(5);
  CHECK(semaphore->free_units() == 0);
  CHECK_FALSE(fair_semaphore::try_acquire(semaphore, 1));
  bool went = false;
  asio::co_spawn(context, fair_semaphore::acquire(semaphore, 9),
                 [&](std::exception_ptr, fair_semaphore::permit) { went = true; });
  context.restart();
  context.poll();
  CHECK_FALSE(went);
  held = {};
  context.restart();
  context.run();
  CHECK(went);  // with all five that there are
  CHECK(semaphore->free_units() == 5);
  semaphore->resize(7);
  CHECK(semaphore->free_units() == 7);
}
