#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace cohub::test {

/// Drives `context` until `operation` has ended and yields its result, or throws what it threw. A
/// test that hangs fails after `deadline`.
template <class T>
T run(asio::io_context& context, awaitable<T> operation,
      std::chrono::seconds deadline = std::chrono::seconds(60)) {
  bool done = false;
  std::exception_ptr failure;
  std::conditional_t<std::is_void_v<T>, bool, std::optional<T>> result{};
  if constexpr (std::is_void_v<T>) {
    asio::co_spawn(context, std::move(operation), [&](std::exception_ptr e) {
      failure = e;
      done = true;
    });
  } else {
    asio::co_spawn(context, std::move(operation), [&](std::exception_ptr e, T value) {
      failure = e;
      result.emplace(std::move(value));
      done = true;
    });
  }
  context.restart();
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!done) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("the operation hangs");
    context.run_one_for(std::chrono::milliseconds(200));
    if (context.stopped()) context.restart();
  }
  if (failure) std::rethrow_exception(failure);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Runs an operation, cancels it as soon as `condition` holds, and yields what it ended with; no
/// error if it was done before.
template <class T, class Condition>
boost::system::error_code run_and_cancel(asio::io_context& context, awaitable<T> operation,
                                         Condition condition) {
  asio::cancellation_signal cancel;
  boost::system::error_code outcome;
  bool done = false;
  bool told = false;
  const auto end_with = [&](std::exception_ptr failure) {
    done = true;
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
      outcome = e.code();
    }
  };
  if constexpr (std::is_void_v<T>) {
    asio::co_spawn(context, std::move(operation),
                   asio::bind_cancellation_slot(cancel.slot(), end_with));
  } else {
    asio::co_spawn(context, std::move(operation),
                   asio::bind_cancellation_slot(
                       cancel.slot(), [&](std::exception_ptr failure, T) { end_with(failure); }));
  }
  context.restart();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  bool posted = false;
  while (!done || (posted && !told)) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("the operation hangs");
    if (!posted && condition()) {
      posted = true;
      // From a handler: emitted from outside, the signal would travel on after the operation's end.
      asio::post(context, [&] {
        if (!done) cancel.emit(asio::cancellation_type::partial);
        told = true;
      });
    }
    context.run_one_for(std::chrono::milliseconds(20));
    if (context.stopped()) context.restart();
  }
  return outcome;
}

}  // namespace cohub::test
