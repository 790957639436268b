#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace cohub::detail {

/// Work that is lent to a pool. What the work owns goes with the lender, never on a thread of the
/// pool: it may be the last owner of that very pool.
template <class Work>
class lent_work {
 public:
  explicit lent_work(Work work) : work_(std::move(work)) {}

  /// Waits until the pool is done with it, which it almost always is, then lets it go.
  class lender {
   public:
    explicit lender(std::shared_ptr<lent_work> lent) : lent_(std::move(lent)) {}
    lender(lender&&) = delete;
    ~lender() {
      std::unique_lock lock(lent_->mutex_);
      lent_->returned_.wait(lock, [this] { return lent_->is_returned_; });
      lent_->work_.reset();
    }

   private:
    std::shared_ptr<lent_work> lent_;
  };

  /// Gives the work back when it has run, or when the pool drops it unrun.
  class borrower {
   public:
    explicit borrower(std::shared_ptr<lent_work> lent) : lent_(std::move(lent)) {}
    borrower(borrower&&) noexcept = default;
    ~borrower() { give_back(); }

    std::invoke_result_t<Work&> run() {
      const finally_give_back at_end{*this};
      return (*lent_->work_)();
    }

   private:
    struct finally_give_back {
      borrower& self;
      ~finally_give_back() { self.give_back(); }
    };

    void give_back() noexcept {
      if (!lent_) return;
      const auto lent = std::move(lent_);
      const std::scoped_lock lock(lent->mutex_);
      lent->is_returned_ = true;
      lent->returned_.notify_all();
    }

    std::shared_ptr<lent_work> lent_;
  };

 private:
  std::optional<Work> work_;
  std::mutex mutex_;
  std::condition_variable returned_;
  bool is_returned_ = false;
};

/// Runs blocking `work`, which owns what it touches, on `pool`; resumes on the caller's executor.
/// The result is void or default-constructible.
///
/// Not cancellable: it ends when `work` does, so `work` is a bounded piece (one buffer written, one
/// buffer hashed). A caller that is destroyed meanwhile, with its io_context, waits for that piece.
template <class Work>
awaitable<std::invoke_result_t<Work&>> on_pool(asio::any_io_executor pool, Work work) {
  using result = std::invoke_result_t<Work&>;
  const auto lent = std::make_shared<lent_work<Work>>(std::move(work));
  const typename lent_work<Work>::lender lender(lent);
  typename lent_work<Work>::borrower borrower(lent);
  auto body = [borrower = std::move(borrower)]() mutable -> awaitable<result> {
    co_return borrower.run();
  };
  // No cancellation across threads: with a slot, Boost 1.81 races and may call std::terminate.
  auto token = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
  co_return co_await asio::co_spawn(pool, std::move(body), std::move(token));
}

/// The outgoing cancellation filter of public operations: passes terminal and partial cancellation
/// down as terminal, the only kind that Beast and `co_spawn` act on.
inline constexpr struct {
  asio::cancellation_type_t operator()(asio::cancellation_type_t type) const noexcept {
    using kind = asio::cancellation_type;
    return (type & (kind::terminal | kind::partial)) != kind::none ? kind::terminal : kind::none;
  }
} pass_as_terminal{};

}  // namespace cohub::detail
