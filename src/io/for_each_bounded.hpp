#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <utility>
#include <vector>

namespace cohub::io {

/// Runs `task(i)` for each i in [0, count), at most `limit` at once, on the caller's executor.
/// The first failure cancels the rest and is rethrown once all of them have stopped.
template <class Task>  // awaitable<void>(std::size_t)
awaitable<void> for_each_bounded(std::size_t count, std::size_t limit, Task task) {
  const auto executor = co_await asio::this_coro::executor;
  std::size_t next = 0;
  // Lends references to this frame: sound, because every worker is awaited below.
  auto worker = [&next, count, &task]() -> awaitable<void> {
    for (std::size_t index = next++; index < count; index = next++) co_await task(index);
  };
  using operation = decltype(asio::co_spawn(executor, worker(), asio::deferred));
  std::vector<operation> workers;
  for (std::size_t i = 0; i < std::min(limit, count); ++i)
    workers.push_back(asio::co_spawn(executor, worker(), asio::deferred));
  if (workers.empty()) co_return;
  auto group = asio::experimental::make_parallel_group(std::move(workers));
  auto outcome =
      co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  auto& [order, failures] = outcome;  // order is by completion, so the cause comes first
  for (const std::size_t i : order)
    if (failures[i]) std::rethrow_exception(failures[i]);
}

/// Runs `task(i)` for each i in [0, count) at once; else as `for_each_bounded`.
template <class Task>  // awaitable<void>(std::size_t)
awaitable<void> run_all(std::size_t count, Task task) {
  return for_each_bounded(count, count, std::move(task));
}

}  // namespace cohub::io
