#include "io/on_pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

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
