#include "io/fair_semaphore.hpp"

#include "io/signal.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace cohub::io {

/// Stands in line as long as it lives; it lives in the frame of the coroutine that waits.
struct fair_semaphore::waiter {
  waiter(std::shared_ptr<fair_semaphore> semaphore, std::uint64_t wanted,
         asio::any_io_executor executor)
      : owner(std::move(semaphore)), units(wanted), turn(std::move(executor)) {
    owner->line_.push_back(this);
  }
  waiter(waiter&&) = delete;
  ~waiter() {
    std::erase(owner->line_, this);
    owner->wake();  // who left may have kept others from their turn
  }
  bool may_go() const noexcept { return owner->line_.front() == this && owner->free_ >= units; }

  std::shared_ptr<fair_semaphore> owner;
  std::uint64_t units;
  signal turn;
};

fair_semaphore::permit::permit(permit&& other) noexcept
    : owner_(std::move(other.owner_)), units_(std::exchange(other.units_, 0)) {}

fair_semaphore::permit& fair_semaphore::permit::operator=(permit&& other) noexcept {
  if (this != &other) {
    give_back();
    owner_ = std::move(other.owner_);
    units_ = std::exchange(other.units_, 0);
  }
  return *this;
}

fair_semaphore::permit::~permit() { give_back(); }

void fair_semaphore::permit::give_back() noexcept {
  if (!owner_) return;
  const auto owner = std::move(owner_);
  owner_.reset();
  owner->free_ += std::exchange(units_, 0);
  owner->wake();
}

void fair_semaphore::wake() noexcept {
  if (!line_.empty() && line_.front()->may_go()) line_.front()->turn.notify();
}

awaitable<fair_semaphore::permit> fair_semaphore::acquire(std::shared_ptr<fair_semaphore> self,
                                                          std::uint64_t units) {
  permit taken;
  if (!self) co_return taken;
  const auto wanted = std::min(units, self->total_);
  waiter place(self, wanted, co_await asio::this_coro::executor);
  while (!place.may_go()) co_await place.turn.wait();
  self->free_ -= wanted;
  taken.owner_ = self;
  taken.units_ = wanted;
  co_return taken;
}

std::optional<fair_semaphore::permit> fair_semaphore::try_acquire(
    std::shared_ptr<fair_semaphore> self, std::uint64_t units, std::uint64_t spare) {
  permit taken;
  if (!self) return taken;
  if (!self->line_.empty() || self->free_ < units || self->free_ - units < spare) return {};
  self->free_ -= units;
  taken.owner_ = std::move(self);
  taken.units_ = units;
  return taken;
}

}  // namespace cohub::io
