#include "transfer/single_flight.hpp"

#include "io/signal.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace cohub::transfer {

struct single_flight::flight {
  flight(asio::any_io_executor executor, std::string name)
      : key(std::move(name)), ended(std::move(executor)) {}

  std::string key;
  std::size_t waiting = 0;
  bool done = false;
  std::exception_ptr failure{};
  io::signal ended;
  asio::cancellation_signal stop{};
  std::shared_ptr<shared_observer> listeners = std::make_shared<shared_observer>();
};

/// Counts and listens as long as somebody waits; it lives in the frame of the coroutine that does.
class single_flight::seat {
 public:
  seat(std::shared_ptr<flight> taken, std::vector<transfer_listener> listeners)
      : flight_(std::move(taken)), listeners_(std::move(listeners)) {
    ++flight_->waiting;
    for (const auto& listener : listeners_) flight_->listeners->add(listener);
  }
  seat(seat&&) = delete;
  ~seat() { leave(); }

  void leave() noexcept {
    if (left_) return;
    left_ = true;
    --flight_->waiting;
    for (const auto& listener : listeners_) flight_->listeners->remove(listener);
    listeners_.clear();
  }

 private:
  std::shared_ptr<flight> flight_;
  std::vector<transfer_listener> listeners_;
  bool left_ = false;
};

void single_flight::forget(const flight& ended) noexcept {
  const auto known = going_.find(ended.key);
  if (known != going_.end() && known->second.lock().get() == &ended) going_.erase(known);
}

void single_flight::launch(asio::any_io_executor executor, const std::shared_ptr<flight>& started,
                           const work& start) {
  going_[started->key] = started;
  auto end = [started](std::exception_ptr failure) {
    started->failure = std::move(failure);
    started->done = true;
    started->ended.notify();
  };
  asio::co_spawn(executor, start(started->listeners),
                 asio::bind_cancellation_slot(started->stop.slot(), std::move(end)));
}

awaitable<void> single_flight::until_done(std::shared_ptr<flight> going) {
  while (!going->done) co_await going->ended.wait();
}

awaitable<bool> single_flight::join(std::shared_ptr<single_flight> self, std::string key,
                                    work start, std::vector<transfer_listener> listeners) {
  const auto known = self->going_.find(key);
  auto joined = known == self->going_.end() ? nullptr : known->second.lock();
  const bool first = !joined || joined->done;
  const auto executor = co_await asio::this_coro::executor;
  if (first) joined = std::make_shared<flight>(executor, key);
  seat place(joined, std::move(listeners));
  if (first) self->launch(executor, joined, start);

  std::exception_ptr cancelled;
  try {
    co_await until_done(joined);
  } catch (const boost::system::system_error&) {
    cancelled = std::current_exception();
  }
  place.leave();
  if (joined->done || joined->waiting == 0) self->forget(*joined);
  if (cancelled && !joined->done && joined->waiting == 0) {
    // Whoever asks from now on starts anew. This one goes when nothing of the work is left, still
    // cancelled, so that its caller's next await is refused.
    const bool refuses = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    joined->stop.emit(asio::cancellation_type::terminal);
    auto token = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    co_await asio::co_spawn(executor, until_done(joined), std::move(token));
    co_await asio::this_coro::throw_if_cancelled(refuses);
  }
  if (cancelled) std::rethrow_exception(cancelled);
  if (joined->failure) std::rethrow_exception(joined->failure);
  co_return first;
}

}  // namespace cohub::transfer
