#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <mutex>
#include <utility>

namespace cohub::detail {

namespace asio = boost::asio;

/// What all bells of an io_context share: whether that still is to be spoken to. An io_context that
/// goes shuts down its services, the youngest first, and destroys its coroutines; a thread that
/// spoke to it meanwhile would race with that.
class bell_service : public asio::execution_context::service {
 public:
  inline static asio::execution_context::id id{};

  explicit bell_service(asio::execution_context& context)
      : asio::execution_context::service(context) {}

  std::mutex& mutex() noexcept { return mutex_; }
  /// With the lock.
  bool is_shut_down() const noexcept { return is_shut_down_; }

 private:
  void shutdown() noexcept override {
    const std::scoped_lock lock(mutex_);
    is_shut_down_ = true;
  }

  std::mutex mutex_{};
  bool is_shut_down_ = false;
};

/// One coroutine waits for it, any thread rings it, once. It belongs to the coroutine; who rings
/// sees to it that it is still there. Ringing while the io_context goes does nothing: the coroutine
/// goes, too.
class bell {
 public:
  /// @param executor  that the coroutine runs on
  explicit bell(const asio::any_io_executor& executor)
      : timer_(executor, asio::steady_timer::time_point::max()),
        service_(asio::use_service<bell_service>(asio::query(executor, asio::execution::context))) {
  }
  bell(bell&&) = delete;

  void ring() {
    const std::scoped_lock lock(service_.mutex());
    if (!service_.is_shut_down()) timer_.expires_at(asio::steady_timer::time_point::min());
  }

  /// Completes when it rings, at once if it has; the error code tells nothing.
  template <class Token>
  auto wait(Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code)>(
        [this](auto handler) {
          const std::scoped_lock lock(service_.mutex());
          timer_.async_wait(std::move(handler));
        },
        token);
  }

 private:
  // In this order: the services of timers have to be the older ones.
  asio::steady_timer timer_;
  bell_service& service_;
};

}  // namespace cohub::detail
