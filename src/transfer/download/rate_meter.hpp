#pragma once

#include <chrono>
#include <cstdint>

namespace cohub::transfer {

/// Times of the pure parts of a download, which are told them.
using transfer_clock = std::chrono::steady_clock;

inline double seconds(transfer_clock::duration time) noexcept {
  return std::chrono::duration<double>(time).count();
}

/// Bytes a second over the last moments.
class rate_meter {
 public:
  explicit rate_meter(transfer_clock::time_point now) : since_(now) {}

  void add(std::uint64_t bytes, transfer_clock::time_point now) noexcept;
  /// Sinks while nothing comes. Zero until something has come.
  double rate(transfer_clock::time_point now) const noexcept;

 private:
  transfer_clock::time_point since_;  // when the window that is being filled began
  std::uint64_t bytes_ = 0;           // in it
  double past_ = 0;                   // rate of the window before
};

}  // namespace cohub::transfer
