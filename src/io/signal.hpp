#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace cohub::io {

/// Wakes the coroutines that wait for something to change. They look for themselves what has:
/// between the look and the wait nothing else runs, since all belong to one executor.
class signal {
 public:
  explicit signal(asio::any_io_executor executor)
      : timer_(std::move(executor), asio::steady_timer::time_point::max()) {}

  void notify() noexcept {
    try {
      timer_.cancel();
    } catch (...) {  // declared so by Asio; on a timer it does not happen
    }
  }

  /// @throws boost::system::system_error  operation_aborted when the waiting itself was cancelled
  awaitable<void> wait() {
    boost::system::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
  }

 private:
  asio::steady_timer timer_;
};

}  // namespace cohub::io
