#include "io/signal.hpp"

#include "support/run.hpp"

#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>

using namespace cohub;

namespace {

struct fixture {
  asio::io_context context;
  io::signal changed{context.get_executor()};
  std::size_t woken = 0;
  boost::system::error_code ended{};

  awaitable<void> wait() {
    co_await changed.wait();
    ++woken;
  }
  auto note_end() {
    return [this](std::exception_ptr failure) {
      try {
        if (failure) std::rethrow_exception(failure);
      } catch (const boost::system::system_error& e) {
        ended = e.code();
      }
    };
  }
  void turn() {
    context.restart();
    context.poll();
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a signal wakes all who wait, and nobody who comes later") {
  asio::co_spawn(context, wait(), asio::detached);
  asio::co_spawn(context, wait(), asio::detached);
  turn();
  CHECK(woken == 0);
  changed.notify();
  asio::co_spawn(context, wait(), asio::detached);
  turn();
  CHECK(woken == 2);
  changed.notify();
  turn();
  CHECK(woken == 3);
}

TEST_CASE_FIXTURE(fixture, "who is cancelled while waiting is not taken for woken") {
  asio::cancellation_signal stop;
  asio::co_spawn(context, wait(), asio::bind_cancellation_slot(stop.slot(), note_end()));
  turn();
  stop.emit(asio::cancellation_type::terminal);
  turn();
  CHECK(ended == asio::error::operation_aborted);
  CHECK(woken == 0);
}
