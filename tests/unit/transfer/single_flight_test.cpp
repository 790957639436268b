#include "transfer/single_flight.hpp"

#include "io/signal.hpp"
#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <vector>

using namespace cohub;
using transfer::single_flight;

namespace {

struct listener final : observer {
  void on_event(const transfer_event& event) override { heard.push_back(event.file); }
  std::vector<std::string> heard;
};

struct fixture {
  asio::io_context context;
  std::shared_ptr<single_flight> flights = std::make_shared<single_flight>();
  std::shared_ptr<io::signal> gate = std::make_shared<io::signal>(context.get_executor());
  std::shared_ptr<observer> heard_through;
  std::exception_ptr to_throw;
  bool open = false;
  int started = 0;
  int stopped = 0;

  static awaitable<void> work(fixture* self, std::shared_ptr<observer> listeners) {
    ++self->started;
    self->heard_through = listeners;
    try {
      while (!self->open) co_await self->gate->wait();
    } catch (const boost::system::system_error&) {
      ++self->stopped;
      throw;
    }
    if (self->to_throw) std::rethrow_exception(self->to_throw);
  }

  struct caller {
    asio::cancellation_signal cancel;
    std::optional<bool> first;
    std::exception_ptr failure;
    bool done = false;
  };
  std::array<caller, 5> callers;

  void call(std::size_t who, const std::string& key, std::shared_ptr<observer> own = {},
            const std::string& name = "f") {
    auto start = [this](std::shared_ptr<observer> listeners) {
      return work(this, std::move(listeners));
    };
    auto& self = callers.at(who);
    std::vector<transfer::transfer_listener> listeners(1);
    listeners[0].observer = std::move(own);
    listeners[0].file = name;
    asio::co_spawn(
        context, single_flight::join(flights, key, start, std::move(listeners)),
        asio::bind_cancellation_slot(self.cancel.slot(), [&self](std::exception_ptr e, bool first) {
          self.failure = e;
          self.first = first;
          self.done = true;
        }));
  }
  void settle() {
    context.restart();
    context.poll();
  }
  void finish() {
    open = true;
    gate->notify();
    settle();
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "work under one key is done once, and everybody waits for it") {
  for (std::size_t i = 0; i < 4; ++i) call(i, "a");
  call(4, "b");
  settle();
  CHECK(started == 2);
  CHECK(flights->size() == 2);
  for (const auto& one : callers) CHECK_FALSE(one.done);
  finish();
  for (const auto& one : callers) {
    CHECK(one.done);
    CHECK_FALSE(one.failure);
  }
  CHECK(callers[0].first == true);
  CHECK(callers[1].first == false);
  CHECK(flights->size() == 0);
}

TEST_CASE_FIXTURE(fixture, "work that has ended is done again for who asks later") {
  open = true;
  call(0, "a");
  settle();
  call(1, "a");
  settle();
  CHECK(started == 2);
}

TEST_CASE_FIXTURE(fixture, "everybody gets the failure") {
  to_throw = std::make_exception_ptr(std::runtime_error("broken"));
  for (std::size_t i = 0; i < 3; ++i) call(i, "a");
  settle();
  finish();
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(callers.at(i).failure);
    CHECK_THROWS_AS(std::rethrow_exception(callers.at(i).failure), std::runtime_error);
  }
}

TEST_CASE_FIXTURE(fixture, "who was cancelled stays so, and may not await on") {
  asio::cancellation_signal cancel;
  bool went_on = false, refused = false;
  const auto work_through_it = [&]() -> awaitable<void> {
    auto start = [this](std::shared_ptr<observer> listeners) {
      return work(this, std::move(listeners));
    };
    try {
      auto joining = single_flight::join(flights, "a", start, {});
      co_await std::move(joining);
    } catch (const boost::system::system_error&) {  // and on to the next one
    }
    try {
      auto joining = single_flight::join(flights, "b", start, {});
      co_await std::move(joining);
      went_on = true;
    } catch (const boost::system::system_error& e) {
      refused = e.code() == asio::error::operation_aborted;
    }
  };
  asio::co_spawn(context, work_through_it(),
                 asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
  settle();
  cancel.emit(asio::cancellation_type::terminal);
  settle();
  CHECK(stopped == 1);
  CHECK(refused);
  CHECK_FALSE(went_on);
  CHECK(started == 1);
}

TEST_CASE_FIXTURE(fixture, "whoever is cancelled goes alone, also the first") {
  for (std::size_t i = 0; i < 3; ++i) call(i, "a");
  settle();
  callers[0].cancel.emit(asio::cancellation_type::terminal);
  callers[1].cancel.emit(asio::cancellation_type::terminal);
  settle();
  CHECK(callers[0].done);
  CHECK(callers[0].failure);
  CHECK(callers[1].failure);
  CHECK_FALSE(callers[2].done);
  CHECK(stopped == 0);
  finish();
  CHECK(callers[2].done);
  CHECK_FALSE(callers[2].failure);
}

TEST_CASE_FIXTURE(fixture, "when the last one is cancelled the work stops, and then it returns") {
  call(0, "a");
  call(1, "a");
  settle();
  callers[0].cancel.emit(asio::cancellation_type::terminal);
  callers[1].cancel.emit(asio::cancellation_type::terminal);
  settle();
  CHECK(stopped == 1);
  CHECK(callers[0].failure);
  CHECK(callers[1].failure);
  CHECK(flights->size() == 0);
  call(2, "a");  // starts anew
  settle();
  CHECK(started == 2);
  finish();
  CHECK_FALSE(callers[2].failure);
}

TEST_CASE_FIXTURE(fixture,
                  "every listener hears of the work once, by its own name, while it waits") {
  const auto one = std::make_shared<listener>();
  const auto other = std::make_shared<listener>();
  call(0, "a", one, "x");
  call(1, "a", one, "x");
  call(2, "a", other, "y");
  call(3, "a");
  settle();
  heard_through->on_event({});
  CHECK(one->heard == std::vector<std::string>{"x"});
  CHECK(other->heard == std::vector<std::string>{"y"});
  callers[0].cancel.emit(asio::cancellation_type::terminal);
  callers[2].cancel.emit(asio::cancellation_type::terminal);
  settle();
  heard_through->on_event({});
  CHECK(one->heard.size() == 2);
  CHECK(other->heard.size() == 1);
  finish();
}

TEST_CASE_FIXTURE(fixture, "a context that goes takes the work and who waits along") {
  call(0, "a");
  call(1, "a");
  settle();  // nothing more: the destructor of the context drops both
}
