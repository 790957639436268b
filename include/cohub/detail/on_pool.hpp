#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/detail/bell.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

namespace cohub::detail {

/// Work that takes a token which tells it to stop is told when the coroutine is cancelled.
template <class Work>
inline constexpr bool is_stoppable = std::is_invocable_v<Work&, std::stop_token>;

/// For such work, between two steps.
/// @throws boost::system::system_error  operation_aborted
inline void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw boost::system::system_error(asio::error::operation_aborted);
}

template <class Work>
auto do_work(Work& work, [[maybe_unused]] const std::stop_source& stop) {
  if constexpr (is_stoppable<Work>)
    return work(stop.get_token());
  else
    return work();
}

template <class Work>
using work_result = decltype(do_work(std::declval<Work&>(), std::declval<std::stop_source&>()));

/// A piece of work that a pool does for a coroutine. What the work owns goes with the coroutine,
/// never on a thread of the pool: it may be the last owner of that very pool.
template <class Work>
class pool_job {
 public:
  using result = work_result<Work>;

  pool_job(const asio::any_io_executor& executor, Work work)
      : work_(std::move(work)), bell_(std::in_place, executor) {}

  /// On the pool. Nothing happens if the coroutine has gone.
  void run() noexcept {
    {
      const std::scoped_lock lock(mutex_);
      if (stage_ != stage::queued) return;
      stage_ = stage::running;
    }
    try {
      if constexpr (std::is_void_v<result>)
        do_work(*work_, stop_);
      else
        result_.emplace(do_work(*work_, stop_));
    } catch (...) {
      failure_ = std::current_exception();
    }
    const std::scoped_lock lock(mutex_);
    end();
  }

  /// It is let go unrun, unless the pool has begun it.
  void drop() noexcept {
    const std::scoped_lock lock(mutex_);
    if (stage_ != stage::queued) return;
    failure_ = std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted));
    end();
  }

  /// The coroutine is cancelled: work that waits is withdrawn, work that runs is told.
  void cancel() noexcept {
    drop();
    stop_.request_stop();
  }

  /// For the coroutine: rings when the work has ended.
  bell& when_ended() noexcept { return *bell_; }

  /// Of work that has ended.
  result take() {
    if (failure_) std::rethrow_exception(failure_);
    if constexpr (!std::is_void_v<result>) return std::move(*result_);
  }

  /// The coroutine goes. Waits for work that runs, withdraws work that does not.
  void leave() noexcept {
    stop_.request_stop();
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return stage_ != stage::running; });
    stage_ = stage::ended;
    bell_.reset();
    result_.reset();
    failure_ = nullptr;
    work_.reset();
  }

 private:
  enum class stage { queued, running, ended };

  /// With the lock.
  void end() noexcept {
    stage_ = stage::ended;
    if (bell_) bell_->ring();
    ended_.notify_all();
  }

  std::optional<Work> work_;
  std::stop_source stop_ =
      is_stoppable<Work> ? std::stop_source() : std::stop_source(std::nostopstate);
  std::optional<std::conditional_t<std::is_void_v<result>, std::monostate, result>> result_{};
  std::exception_ptr failure_{};
  std::mutex mutex_{};
  std::condition_variable ended_{};
  stage stage_ = stage::queued;
  std::optional<bell> bell_;
};

/// The pool's hold on a job.
template <class Work>
class pool_errand {
 public:
  explicit pool_errand(std::shared_ptr<pool_job<Work>> job) : job_(std::move(job)) {}
  pool_errand(pool_errand&&) noexcept = default;
  ~pool_errand() {
    if (job_) job_->drop();
  }
  void operator()() { job_->run(); }

 private:
  std::shared_ptr<pool_job<Work>> job_;
};

/// The coroutine's hold on a job.
template <class Work>
class pool_client {
 public:
  explicit pool_client(std::shared_ptr<pool_job<Work>> job) : job_(std::move(job)) {}
  pool_client(pool_client&&) = delete;
  ~pool_client() { job_->leave(); }

 private:
  std::shared_ptr<pool_job<Work>> job_;
};

/// Runs blocking `work`, which owns what it touches, on `pool`; resumes on the caller's executor.
///
/// Cancellation withdraws work that waits for a thread; work that has begun is waited for. So
/// `work` is either a bounded piece (one buffer written, one buffer hashed) or takes a
/// `std::stop_token`, by which it is told of a cancellation, and ends soon then. A caller that is
/// destroyed meanwhile, with its io_context, waits for work that has begun. That is why the caller
/// waits for a bell of its own io_context: who waits on the pool belongs to the pool, and would
/// outlive the io_context it is to go on in.
template <class Work>
awaitable<work_result<Work>> on_pool(asio::any_io_executor pool, Work work) {
  const auto executor = co_await asio::this_coro::executor;
  const auto job = std::make_shared<pool_job<Work>>(executor, std::move(work));
  const pool_client<Work> client(job);
  auto running =
      asio::async_initiate<decltype(asio::use_awaitable), void(boost::system::error_code)>(
          [](auto handler, std::shared_ptr<pool_job<Work>> waited_for, asio::any_io_executor on) {
            auto slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected())
              slot.assign([waited_for](asio::cancellation_type) { waited_for->cancel(); });
            // Who waits is not told of a cancellation: it would leave while the work runs.
            waited_for->when_ended().wait(
                asio::bind_cancellation_slot(asio::cancellation_slot(), std::move(handler)));
            asio::post(on, pool_errand<Work>(std::move(waited_for)));
          },
          asio::use_awaitable, job, std::move(pool));
  co_await std::move(running);
  co_return job->take();
}

}  // namespace cohub::detail
