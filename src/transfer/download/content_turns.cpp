#include "transfer/download/content_turns.hpp"

#include <algorithm>
#include <utility>

namespace cohub::transfer {

content_turns::content_turns(std::size_t most)
    : most_(std::max<std::size_t>(most, 1)),
      permits_(std::make_shared<io::fair_semaphore>(most_)) {}

awaitable<content_turns::turn> content_turns::take(std::shared_ptr<content_turns> self) {
  auto permit = co_await io::fair_semaphore::acquire(self->permits_, 1);
  co_return turn(std::move(permit), self->burst_);
}

std::optional<content_turns::turn> content_turns::try_take(
    const std::shared_ptr<content_turns>& self) {
  auto permit = io::fair_semaphore::try_acquire(self->permits_, 1);
  if (!permit) return {};
  return turn(std::move(*permit), self->burst_);
}

void content_turns::answered() noexcept {
  ++activity_;
  if (allowed() == most_ || ++answered_ < allowed()) return;
  answered_ = 0;
  permits_->resize(allowed() + 1);
}

void content_turns::refused(const turn& of) noexcept {
  if (of.burst_ != burst_) return;
  ++burst_;
  answered_ = 0;
  // Not half of them: where the server's bound is met again and again, most of it stays in use.
  const auto out = allowed() - static_cast<std::size_t>(permits_->free_units());
  permits_->resize(std::max<std::size_t>(3 * out / 4, 1));
}

}  // namespace cohub::transfer
