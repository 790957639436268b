#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/system/error_code.hpp>

#include <list>
#include <memory>
#include <mutex>
#include <utility>

namespace cohub::detail {

namespace asio = boost::asio;

/// Who waits for a bell.
class bell_waiter {
 public:
  virtual ~bell_waiter() = default;
  /// Lets it go on, on its own executor. Once.
  virtual void go_on(boost::system::error_code result) = 0;
};

template <class Handler>
class bell_waiter_of final : public bell_waiter {
 public:
  bell_waiter_of(const asio::any_io_executor& executor, Handler handler)
      : work_(asio::get_associated_executor(handler, executor)), handler_(std::move(handler)) {}

  void go_on(boost::system::error_code result) override {
    asio::post(work_.get_executor(), [handler = std::move(handler_), result]() mutable {
      asio::get_associated_cancellation_slot(handler).clear();
      std::move(handler)(result);
    });
  }

 private:
  asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> work_;
  Handler handler_;
};

/// What all bells of an io_context share: their waiters, and whether it still is to be spoken to.
/// An io_context that goes shuts down its services, the youngest first, and its queue last; a
/// thread that posted to it then would race with that.
class bell_service : public asio::execution_context::service {
 public:
  using waiters = std::list<std::unique_ptr<bell_waiter>>;

  inline static asio::execution_context::id id{};

  explicit bell_service(asio::execution_context& context)
      : asio::execution_context::service(context) {}

  std::mutex& mutex() noexcept { return mutex_; }
  /// With the lock.
  bool is_shut_down() const noexcept { return is_shut_down_; }
  /// With the lock. Those that no bell has let go on.
  waiters& waiting() noexcept { return waiting_; }

 private:
  void shutdown() noexcept override {
    waiters gone;  // not destroyed with the lock: what a waiter owns may be anything
    const std::scoped_lock lock(mutex_);
    is_shut_down_ = true;
    gone.swap(waiting_);
  }

  std::mutex mutex_{};
  bool is_shut_down_ = false;
  waiters waiting_{};
};

/// One coroutine waits for it, any thread rings it, once. It belongs to the coroutine; who rings
/// sees to it that it is still there. Ringing while the io_context goes does nothing: the coroutine
/// goes, too.
class bell {
 public:
  /// @param executor  that the coroutine runs on
  explicit bell(asio::any_io_executor executor)
      : executor_(std::move(executor)),
        service_(
            asio::use_service<bell_service>(asio::query(executor_, asio::execution::context))) {}
  bell(bell&&) = delete;

  void ring() {
    const std::scoped_lock lock(service_.mutex());
    has_rung_ = true;
    let_go_on({});
  }

  /// Completes when it rings, at once if it has; when it is cancelled, with operation_aborted.
  template <class Token>
  auto wait(Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code)>(
        [this](auto handler) { this->start_waiting(std::move(handler)); }, token);
  }

 private:
  template <class Handler>
  void start_waiting(Handler handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto waiter = std::make_unique<bell_waiter_of<Handler>>(executor_, std::move(handler));
    const std::scoped_lock lock(service_.mutex());
    mine_ = service_.waiting().insert(service_.waiting().end(), std::move(waiter));
    is_waiting_ = true;
    if (has_rung_) {
      let_go_on({});
    } else if (slot.is_connected()) {
      slot.assign([this](asio::cancellation_type type) {
        if (type == asio::cancellation_type::none) return;
        const std::scoped_lock still(service_.mutex());
        let_go_on(asio::error::operation_aborted);
      });
    }
  }

  /// With the lock.
  void let_go_on(boost::system::error_code result) {
    if (!is_waiting_ || service_.is_shut_down()) return;
    is_waiting_ = false;
    const auto waiter = std::move(*mine_);
    service_.waiting().erase(mine_);
    waiter->go_on(result);
  }

  asio::any_io_executor executor_;
  bell_service& service_;
  // With the service's lock:
  bool has_rung_ = false;
  bool is_waiting_ = false;
  bell_service::waiters::iterator mine_{};
};

}  // namespace cohub::detail
