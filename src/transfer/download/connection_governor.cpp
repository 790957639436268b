#include "transfer/download/connection_governor.hpp"

#include <algorithm>

namespace cohub::transfer {

namespace {

constexpr std::size_t first_target = 4;
/// More connections are kept only if they bring so much more.
constexpr double worthwhile = 1.2;
constexpr transfer_clock::duration warm_up = std::chrono::milliseconds(100);
constexpr transfer_clock::duration trial = std::chrono::milliseconds(150);
/// Connecting, a handshake and the first windows take so many waits for an answer.
constexpr int warm_up_waits = 4;
constexpr int trial_waits = 2;
constexpr auto between_trials = std::chrono::seconds(3);

}  // namespace

connection_governor::connection_governor(std::size_t limit, transfer_clock::time_point now)
    : limit_(std::max<std::size_t>(limit, 1)),
      target_(std::min(first_target, limit_)),
      settled_(target_),
      since_(now),
      next_trial_(now) {}

void connection_governor::warm_up_from(transfer_clock::time_point now) noexcept {
  warming_up_ = true;
  since_ = now;
}

void connection_governor::begin_trial(std::size_t target, transfer_clock::time_point now) noexcept {
  target_ = target;
  trying_ = true;
  warm_up_from(now);
}

void connection_governor::tick(transfer_clock::time_point now,
                               transfer_clock::duration wait) noexcept {
  // At first all windows are opening, and it is soon seen that more connections bring more.
  if (climbing_) wait = {};
  const auto passed = now - since_;
  if (warming_up_) {
    if (passed < std::max(warm_up, warm_up_waits * wait)) return;
    warming_up_ = false;
    bytes_ = 0;
    since_ = now;
    return;
  }
  if (bytes_ == 0 || passed < std::max(trial, trial_waits * wait)) return;
  const double rate = static_cast<double>(bytes_) / std::chrono::duration<double>(passed).count();
  if (trying_) {
    trying_ = false;
    const bool better = settled_rate_ == 0 || rate >= worthwhile * settled_rate_;
    if (better) {
      settled_ = target_;
      settled_rate_ = rate;
      if (target_ < limit_) return begin_trial(std::min(2 * target_, limit_), now);
    } else {
      target_ = settled_;
    }
    climbing_ = false;
    next_trial_ = now + between_trials;
  } else {
    settled_rate_ = rate;
    if (now >= next_trial_ && target_ < limit_)
      return begin_trial(std::min(target_ + std::max<std::size_t>(target_ / 2, 1), limit_), now);
  }
  bytes_ = 0;
  since_ = now;
}

}  // namespace cohub::transfer
