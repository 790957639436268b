#include "http/silence_watch.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <utility>

namespace cohub::http {

using clock = std::chrono::steady_clock;

struct silence_watch::state {
  state(asio::any_io_executor executor, std::function<void()> callback)
      : timer(std::move(executor)), on_silence(std::move(callback)) {}

  asio::steady_timer timer;
  std::function<void()> on_silence;
  std::atomic<clock::time_point> last{clock::now()};  // touched from any thread
  std::chrono::milliseconds limit{};
  bool waiting = false;
  bool fired = false;
  bool gone = false;
};

silence_watch::silence_watch(asio::any_io_executor executor, std::function<void()> on_silence)
    : state_(std::make_shared<state>(std::move(executor), std::move(on_silence))) {}

silence_watch::~silence_watch() {
  state_->gone = true;
  state_->timer.cancel();
}

void silence_watch::set_limit(std::chrono::milliseconds limit) {
  const bool sooner = limit < state_->limit;  // also when it is none
  state_->limit = limit;
  touch();
  if (state_->waiting && sooner) {
    // The handler waits anew; an idle connection must not keep a context busy.
    state_->timer.cancel();
  } else if (!state_->waiting && limit.count() > 0) {
    wait(state_);
  }
}

void silence_watch::touch() noexcept { state_->last = clock::now(); }

void silence_watch::restart() {
  touch();
  state_->fired = false;
  if (!state_->waiting && state_->limit.count() > 0) wait(state_);
}

bool silence_watch::fired() const noexcept { return state_->fired; }

void silence_watch::wait(std::shared_ptr<state> self) {
  auto& timer = self->timer;
  timer.expires_at(self->last.load() + self->limit);
  self->waiting = true;
  timer.async_wait([self = std::move(self)](boost::system::error_code) {
    self->waiting = false;
    if (self->gone || self->limit.count() <= 0) return;
    if (clock::now() < self->last.load() + self->limit) return wait(self);
    self->fired = true;
    self->on_silence();
  });
}

}  // namespace cohub::http
