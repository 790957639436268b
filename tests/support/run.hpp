#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

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

}  // namespace cohub::test
