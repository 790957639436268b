#include "io/with_timeout.hpp"

#include "cohub/error.hpp"

#include "io/signal.hpp"
#include "support/run.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace cohub;
using std::chrono::milliseconds;

namespace {

awaitable<int> give(int value) { co_return value; }

awaitable<int> fail() {
  throw std::runtime_error("its own failure");
  co_return 0;
}

struct tells_its_end {
  explicit tells_its_end(bool& told) : gone(told) {}
  tells_its_end(tells_its_end&&) = delete;
  ~tells_its_end() { gone = true; }
  bool& gone;
};

/// Waits for what does not come, and takes its time to stop.
awaitable<void> wait_for_ever(asio::io_context& context, bool& stopped) {
  const tells_its_end end(stopped);
  io::signal never(context.get_executor());
  co_await never.wait();
}

}  // namespace

TEST_CASE("what ends in time yields its result or its own failure") {
  asio::io_context context;
  CHECK(test::run(context, io::with_timeout(give(7), std::chrono::hours(1))) == 7);
  CHECK_THROWS_WITH(test::run(context, io::with_timeout(fail(), std::chrono::hours(1))),
                    "its own failure");
}

TEST_CASE("a limit of zero is none") {
  asio::io_context context;
  CHECK(test::run(context, io::with_timeout(give(7), milliseconds(0))) == 7);
}

TEST_CASE("a limit below zero has passed") {
  asio::io_context context;
  CHECK_THROWS_AS(test::run(context, io::with_timeout(give(7), milliseconds(-1))), error);
}

TEST_CASE("what takes too long is cancelled, and has stopped when the caller hears of it") {
  asio::io_context context;
  bool stopped = false;
  try {
    test::run(context,
              io::with_timeout(wait_for_ever(context, stopped), milliseconds(1), "waiting"));
    FAIL("nothing was thrown");
  } catch (const error& e) {
    CHECK(e.code() == errc::timed_out);
    CHECK(std::string(e.what()).find("waiting") != std::string::npos);
  }
  CHECK(stopped);
}

TEST_CASE("a cancellation is no timeout") {
  asio::io_context context;
  bool stopped = false;
  asio::cancellation_signal stop;
  boost::system::error_code ended;
  asio::co_spawn(context, io::with_timeout(wait_for_ever(context, stopped), std::chrono::hours(1)),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure) {
                   REQUIRE(failure);
                   try {
                     std::rethrow_exception(failure);
                   } catch (const boost::system::system_error& e) {
                     ended = e.code();
                   }
                 }));
  context.poll();
  stop.emit(asio::cancellation_type::terminal);
  context.restart();
  context.run();
  CHECK(ended == asio::error::operation_aborted);
  CHECK(stopped);
}
