#include "transfer/memory_budget.hpp"

#include "io/signal.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace cohub::transfer {

/// Stands in line as long as it lives; it lives in the frame of the coroutine that waits.
struct memory_budget::waiter {
  waiter(std::shared_ptr<memory_budget> budget, std::uint64_t wanted,
         asio::any_io_executor executor)
      : owner(std::move(budget)), bytes(wanted), turn(std::move(executor)) {
    owner->line_.push_back(this);
  }
  waiter(waiter&&) = delete;
  ~waiter() {
    std::erase(owner->line_, this);
    owner->wake();  // who left may have kept others from their turn
  }
  bool may_go() const noexcept { return owner->line_.front() == this && owner->free_ >= bytes; }

  std::shared_ptr<memory_budget> owner;
  std::uint64_t bytes;
  io::signal turn;
};

memory_budget::share::share(share&& other) noexcept
    : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}

memory_budget::share& memory_budget::share::operator=(share&& other) noexcept {
  if (this != &other) {
    give_back();
    budget_ = std::move(other.budget_);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

memory_budget::share::~share() { give_back(); }

void memory_budget::share::give_back() noexcept {
  if (!budget_) return;
  const auto budget = std::move(budget_);
  budget_.reset();
  budget->free_ += std::exchange(bytes_, 0);
  budget->wake();
}

void memory_budget::wake() noexcept {
  if (!line_.empty() && line_.front()->may_go()) line_.front()->turn.notify();
}

awaitable<memory_budget::share> memory_budget::acquire(std::shared_ptr<memory_budget> budget,
                                                       std::uint64_t bytes) {
  share taken;
  if (!budget) co_return taken;
  const auto wanted = std::min(bytes, budget->total_);
  waiter place(budget, wanted, co_await asio::this_coro::executor);
  while (!place.may_go()) co_await place.turn.wait();
  budget->free_ -= wanted;
  taken.budget_ = budget;
  taken.bytes_ = wanted;
  co_return taken;
}

std::optional<memory_budget::share> memory_budget::try_acquire(
    std::shared_ptr<memory_budget> budget, std::uint64_t bytes, std::uint64_t spare) {
  share taken;
  if (!budget) return taken;
  if (!budget->line_.empty() || budget->free_ < bytes || budget->free_ - bytes < spare) return {};
  budget->free_ -= bytes;
  taken.budget_ = std::move(budget);
  taken.bytes_ = bytes;
  return taken;
}

}  // namespace cohub::transfer
