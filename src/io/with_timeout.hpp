#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/error.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

namespace cohub::io {

/// Runs `operation` for at most `limit`, then cancels it, waits until it has stopped and throws
/// errc::timed_out with `doing`. A limit of zero is none, a negative one has passed. `T` is void or
/// default-constructible.
template <class T>
awaitable<T> with_timeout(awaitable<T> operation, std::chrono::steady_clock::duration limit,
                          std::string doing = "operation") {
  if (limit == limit.zero()) co_return co_await std::move(operation);
  if (limit < limit.zero()) throw error(errc::timed_out, doing);
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, limit);
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, std::move(operation), asio::deferred),
      timer.async_wait(asio::deferred));
  auto outcome = co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if constexpr (std::is_void_v<T>) {
    auto& [order, failure, timer_code] = outcome;
    if (order[0] == 1 && !timer_code) throw error(errc::timed_out, doing);
    if (failure) std::rethrow_exception(failure);
  } else {
    auto& [order, failure, value, timer_code] = outcome;
    if (order[0] == 1 && !timer_code) throw error(errc::timed_out, doing);
    if (failure) std::rethrow_exception(failure);
    co_return std::move(value);
  }
}

}  // namespace cohub::io
