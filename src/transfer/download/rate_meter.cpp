#include "transfer/download/rate_meter.hpp"

#include <algorithm>

namespace cohub::transfer {

namespace {

constexpr auto window = std::chrono::milliseconds(500);

}  // namespace

void rate_meter::add(std::uint64_t bytes, transfer_clock::time_point now) noexcept {
  bytes_ += bytes;
  const auto passed = now - since_;
  if (passed < window) return;
  past_ = static_cast<double>(bytes_) / seconds(passed);
  bytes_ = 0;
  since_ = now;
}

double rate_meter::rate(transfer_clock::time_point now) const noexcept {
  const double passed = seconds(now - since_);
  const double whole = seconds(window);
  const double present = static_cast<double>(bytes_) / std::max(passed, whole / 10);
  if (past_ == 0 || passed >= whole) return present;
  return past_ + (present - past_) * passed / whole;
}

}  // namespace cohub::transfer
