#include "io/fair_semaphore.hpp"

#include "io/signal.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace cohub::io {

/// Stands in line as long as it lives; it lives in the frame of the coroutine that waits.
struct fair_semaphore::waiter {
  waiter(std::shared_ptr<fair_semaphore> semaphore, std::uint64_t asked,
         asio::any_io_executor executor)
      : owner(std::move(semaphore)), units(asked), turn(std::move(executor)) {
    owner->line_.push_back(this);
  }
  waiter(waiter&&) = delete;
  ~waiter() {
    std::erase(owner->line_, this);
    owner->wake();  // who left may have kept others from their turn
  }
  /// What there are fewer of since it was asked for is cut to all of them.
  std::uint64_t wanted() const noexcept { return std::min(units, owner->total_); }
  bool may_go() const noexcept {
    return owner->line_.front() == this && owner->free_units() >= wanted();
  }

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
  owner->out_ -= std::exchange(units_, 0);
  owner->wake();
}

void fair_semaphore::resize(std::uint64_t units) noexcept {
  total_ = std::max<std::uint64_t>(units, 1);
  wake();
}

void fair_semaphore::wake() noexcept {
  if (!line_.empty() && line_.front()->may_go()) line_.front()->turn.notify();
}

awaitable<fair_semaphore::permit> fair_semaphore::acquire(std::shared_ptr<fair_semaphore> self,
                                                          std::uint64_t units) {
  permit taken;
  if (!self) co_return taken;
  waiter place(self, units, co_await asio::this_coro::executor);
  while (!place.may_go()) co_await place.turn.wait();
  taken.units_ = place.wanted();
  self->out_ += taken.units_;
  taken.owner_ = self;
  co_return taken;
}

std::optional<fair_semaphore::permit> fair_semaphore::try_acquire(
    std::shared_ptr<fair_semaphore> self, std::uint64_t units, std::uint64_t spare) {
  permit taken;
  if (!self) return taken;
  const auto free = self->free_units();
  if (!self->line_.empty() || free < units || free - units < spare) return {};
  self->out_ += units;
  taken.owner_ = std::move(self);
  taken.units_ = units;
  return taken;
}

}  // namespace cohub::io
