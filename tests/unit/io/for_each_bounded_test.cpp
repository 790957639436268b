#include "io/for_each_bounded.hpp"

#include "io/signal.hpp"
#include "support/run.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

using namespace cohub;

namespace {

/// Counts the tasks that are at work.
struct at_work {
  explicit at_work(std::size_t& count, std::size_t& peak) : now(count) {
    peak = std::max(peak, ++now);
  }
  at_work(at_work&&) = delete;
  ~at_work() { --now; }
  std::size_t& now;
};

struct fixture {
  asio::io_context context;
  io::signal never{context.get_executor()};
  std::size_t now = 0;
  std::size_t peak = 0;
  std::vector<std::size_t> begun;

  awaitable<void> yield(std::size_t index) {
    const at_work here(now, peak);
    begun.push_back(index);
    co_await asio::post(context, asio::use_awaitable);
  }
  awaitable<void> wait_for_ever(std::size_t index) {
    const at_work here(now, peak);
    begun.push_back(index);
    co_await never.wait();
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture,
                  "each task runs once, in order, and no more of them at once than allowed") {
  test::run(context, io::for_each_bounded(7, 3, [this](std::size_t i) { return yield(i); }));
  CHECK(begun == std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6});
  CHECK(peak == 3);
  CHECK(now == 0);
}

TEST_CASE_FIXTURE(fixture, "all tasks run at once where nothing bounds them") {
  test::run(context, io::run_all(5, [this](std::size_t i) { return yield(i); }));
  CHECK(peak == 5);
}

TEST_CASE_FIXTURE(fixture, "nothing to do ends at once") {
  test::run(context, io::for_each_bounded(0, 3, [this](std::size_t i) { return yield(i); }));
  CHECK(begun.empty());
}

TEST_CASE_FIXTURE(fixture,
                  "the first failure stops the others, is thrown, and leaves none at work") {
  const auto task = [this](std::size_t index) -> awaitable<void> {
    if (index == 2) throw std::runtime_error("the third");
    co_await wait_for_ever(index);
  };
  CHECK_THROWS_WITH(test::run(context, io::for_each_bounded(9, 3, task)), "the third");
  CHECK(begun == std::vector<std::size_t>{0, 1});
  CHECK(now == 0);
}

TEST_CASE_FIXTURE(fixture, "what the others throw when they are stopped is not what is told") {
  const auto task = [this](std::size_t index) -> awaitable<void> {
    if (index == 1) throw std::runtime_error("the cause");
    try {
      co_await never.wait();
    } catch (const boost::system::system_error&) {
      throw std::runtime_error("a consequence");
    }
  };
  CHECK_THROWS_WITH(test::run(context, io::run_all(2, task)), "the cause");
}

TEST_CASE_FIXTURE(fixture, "a cancellation ends all of them") {
  asio::cancellation_signal stop;
  boost::system::error_code ended;
  asio::co_spawn(context, io::run_all(4, [this](std::size_t i) { return wait_for_ever(i); }),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure) {
                   REQUIRE(failure);
                   try {
                     std::rethrow_exception(failure);
                   } catch (const boost::system::system_error& e) {
                     ended = e.code();
                   }
                 }));
  context.poll();
  CHECK(now == 4);
  stop.emit(asio::cancellation_type::terminal);
  context.restart();
  context.run();
  CHECK(ended == asio::error::operation_aborted);
  CHECK(now == 0);
}
