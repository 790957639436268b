#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/detail/on_pool.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <utility>

namespace cohub {

/// Runs work that blocks (reading weights, writing a file) on a pool, so that the executor goes on
/// meanwhile; yields what the work returns, on the caller's executor.
///
/// @code
/// auto read = [file] { return read_weights(file); };
/// auto weights = co_await cohub::on_pool(hub.blocking_executor(), std::move(read));
/// @endcode
/// @param pool  `client::blocking_executor`, or the program's own
/// @param work  owns what it touches. It is called without arguments, or with a `std::stop_token`
///              that tells it of a cancellation
/// @throws      what the work throws
/// @par Cancellation  withdraws work that waits for a thread; work that runs is waited for, so it
///                    should be short or look at its token
template <class Work>
awaitable<detail::work_result<Work>> on_pool(asio::any_io_executor pool, Work work) {
  return detail::on_pool(std::move(pool), std::move(work));
}

}  // namespace cohub
