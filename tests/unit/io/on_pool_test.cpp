#include "io/on_pool.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace io = cohub::io;

namespace {

/// Tells when the coroutine that holds it has gone.
struct tells_its_end {
  explicit tells_its_end(std::atomic<bool>& told) : gone(told) {}
  tells_its_end(tells_its_end&&) = delete;
  ~tells_its_end() { gone = true; }
  std::atomic<bool>& gone;
};

template <class Work>
cohub::awaitable<void> hold_and_run(asio::any_io_executor pool, Work work,
                                    std::atomic<bool>* gone) {
  const tells_its_end end(*gone);
  auto running = io::on_pool(pool, std::move(work));
  co_await std::move(running);
}

/// Tells how the work's end came to its coroutine.
template <class Work>
cohub::awaitable<void> note_failure(asio::any_io_executor pool, Work work,
                                    boost::system::error_code* failure) {
  auto running = io::on_pool(pool, std::move(work));
  try {
    co_await std::move(running);
  } catch (const boost::system::system_error& e) {
    *failure = e.code();
  }
}

}  // namespace

TEST_CASE("the caller goes on in its own context, with the result") {
  asio::thread_pool pool(1);
  asio::io_context context;
  std::thread::id worked_on;
  std::thread::id went_on_with;
  int result = 0;
  auto body = [&]() -> cohub::awaitable<void> {
    auto running = io::on_pool(pool.get_executor(), [&worked_on] {
      worked_on = std::this_thread::get_id();
      return 7;
    });
    result = co_await std::move(running);
    went_on_with = std::this_thread::get_id();
  };
  asio::co_spawn(context, body, asio::detached);
  context.run();
  CHECK(result == 7);
  CHECK(worked_on != std::this_thread::get_id());
  CHECK(went_on_with == std::this_thread::get_id());
}

TEST_CASE("the caller gets what the work throws") {
  asio::thread_pool pool(1);
  asio::io_context context;
  std::string caught;
  auto body = [&]() -> cohub::awaitable<void> {
    auto running = io::on_pool(pool.get_executor(), [] { throw std::runtime_error("no disk"); });
    try {
      co_await std::move(running);
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
  };
  asio::co_spawn(context, body, asio::detached);
  context.run();
  CHECK(caught == "no disk");
}

TEST_CASE("a context that goes takes its caller with it, when the work has ended") {
  asio::thread_pool pool(1);
  std::optional<asio::io_context> context(std::in_place);
  std::promise<void> begun;
  std::promise<void> may_end;
  std::atomic<bool> ended = false;
  std::atomic<bool> gone = false;
  auto work = [&begun, &ended, released = may_end.get_future().share()] {
    begun.set_value();
    released.wait();
    ended = true;
  };
  asio::co_spawn(*context, hold_and_run(pool.get_executor(), work, &gone), asio::detached);
  context->poll();
  begun.get_future().wait();
  bool had_ended = false;
  bool was_gone = false;
  std::thread leaving([&] {
    context.reset();
    had_ended = ended;
    was_gone = gone;
  });
  may_end.set_value();
  leaving.join();
  CHECK(had_ended);
  CHECK(was_gone);
}

TEST_CASE("a context that goes does not wait for work that has not begun") {
  asio::thread_pool pool(1);
  std::promise<void> may_end;
  asio::post(pool, [released = may_end.get_future().share()] { released.wait(); });
  std::atomic<bool> ran = false;
  std::atomic<bool> gone = false;
  {
    asio::io_context context;
    asio::co_spawn(context,
                   hold_and_run(
                       pool.get_executor(), [&ran] { ran = true; }, &gone),
                   asio::detached);
    context.poll();
  }
  CHECK(gone);
  may_end.set_value();
  pool.join();
  CHECK_FALSE(ran);
}

TEST_CASE("work of a coroutine that is cancelled already is not begun") {
  asio::thread_pool pool(1);
  asio::io_context context;
  asio::cancellation_signal signal;
  bool ran = false;
  boost::system::error_code failure;
  auto body = [&]() -> cohub::awaitable<void> {
    // Boost 1.81: the end of a coroutine that never waited throws in run() if it is cancelled.
    co_await asio::post(asio::use_awaitable);
    signal.emit(asio::cancellation_type::terminal);
    auto running = io::on_pool(pool.get_executor(), [&ran] { ran = true; });
    co_await std::move(running);
  };
  asio::co_spawn(context, body,
                 asio::bind_cancellation_slot(signal.slot(), [&failure](std::exception_ptr thrown) {
                   try {
                     if (thrown) std::rethrow_exception(thrown);
                   } catch (const boost::system::system_error& e) {
                     failure = e.code();
                   }
                 }));
  context.run();
  pool.join();
  CHECK(failure == asio::error::operation_aborted);
  CHECK_FALSE(ran);
}

TEST_CASE("work that waits for a thread is withdrawn when its coroutine is cancelled") {
  asio::thread_pool pool(1);
  std::promise<void> may_end;
  asio::post(pool, [released = may_end.get_future().share()] { released.wait(); });
  asio::io_context context;
  asio::cancellation_signal signal;
  bool ran = false;
  boost::system::error_code failure;
  auto work = [&ran] { ran = true; };
  asio::co_spawn(context, note_failure(pool.get_executor(), work, &failure),
                 asio::bind_cancellation_slot(signal.slot(), asio::detached));
  context.poll();
  signal.emit(asio::cancellation_type::terminal);
  context.run();
  CHECK(failure == asio::error::operation_aborted);
  may_end.set_value();
  pool.join();
  CHECK_FALSE(ran);
}

TEST_CASE("work that has begun is waited for, whatever is cancelled meanwhile") {
  asio::thread_pool pool(1);
  asio::io_context context;
  asio::cancellation_signal signal;
  std::promise<void> begun;
  std::promise<void> may_end;
  bool ended = false;
  bool had_ended = false;
  auto body = [&]() -> cohub::awaitable<void> {
    auto running = io::on_pool(pool.get_executor(), [&] {
      begun.set_value();
      may_end.get_future().wait();
      ended = true;
    });
    co_await std::move(running);
    had_ended = ended;
  };
  asio::co_spawn(context, body, asio::bind_cancellation_slot(signal.slot(), asio::detached));
  context.poll();
  begun.get_future().wait();
  signal.emit(asio::cancellation_type::terminal);
  context.poll();
  CHECK_FALSE(had_ended);
  may_end.set_value();
  context.restart();
  context.run();
  CHECK(had_ended);
}

TEST_CASE("work that takes a token is told to stop, and is waited for") {
  asio::thread_pool pool(1);
  asio::io_context context;
  asio::cancellation_signal signal;
  std::promise<void> begun;
  boost::system::error_code failure;
  auto work = [&begun](const std::stop_token& stop) {
    begun.set_value();
    std::promise<void> stopped;
    const std::stop_callback tell(stop, [&stopped] { stopped.set_value(); });
    stopped.get_future().wait();
    io::throw_if_stopped(stop);
  };
  asio::co_spawn(context, note_failure(pool.get_executor(), work, &failure),
                 asio::bind_cancellation_slot(signal.slot(), asio::detached));
  context.poll();
  begun.get_future().wait();
  signal.emit(asio::cancellation_type::terminal);
  context.run();
  CHECK(failure == asio::error::operation_aborted);
}

TEST_CASE("work that takes a token is told to stop by a context that goes") {
  asio::thread_pool pool(1);
  std::promise<void> begun;
  std::atomic<bool> gone = false;
  std::atomic<bool> stopped = false;
  {
    asio::io_context context;
    auto work = [&](const std::stop_token& stop) {
      std::promise<void> told;
      const std::stop_callback tell(stop, [&told] { told.set_value(); });
      begun.set_value();
      told.get_future().wait();
      stopped = stop.stop_requested();
    };
    asio::co_spawn(context, hold_and_run(pool.get_executor(), work, &gone), asio::detached);
    context.poll();
    begun.get_future().wait();
  }
  CHECK(gone);
  CHECK(stopped);
}

TEST_CASE("a bell lets its waiter go on when it rings, or has rung, or is cancelled") {
  asio::io_context context;
  cohub::detail::bell rings(context.get_executor());
  std::vector<boost::system::error_code> results;
  const auto keep = [&results](boost::system::error_code result) { results.push_back(result); };
  asio::cancellation_signal signal;
  rings.wait(asio::bind_cancellation_slot(signal.slot(), keep));
  context.poll();
  CHECK(results.empty());
  signal.emit(asio::cancellation_type::terminal);
  signal.emit(asio::cancellation_type::terminal);
  context.restart();
  context.poll();
  rings.wait(keep);
  rings.ring();
  context.restart();
  context.run();  // ends: nothing is waited for any more
  rings.wait(keep);
  context.restart();
  context.run();
  const boost::system::error_code rang{};
  CHECK(results ==
        std::vector<boost::system::error_code>{asio::error::operation_aborted, rang, rang});
}

TEST_CASE("a pool that goes lets its callers go on") {
  asio::io_context context;
  boost::system::error_code failure;
  {
    asio::thread_pool pool(1);
    pool.stop();
    pool.join();
    auto body = [&]() -> cohub::awaitable<void> {
      auto running = io::on_pool(pool.get_executor(), [] {});
      try {
        co_await std::move(running);
      } catch (const boost::system::system_error& e) {
        failure = e.code();
      }
    };
    asio::co_spawn(context, body, asio::detached);
    context.poll();
  }
  context.run();
  CHECK(failure == asio::error::operation_aborted);
}
