#pragma once

#include <chrono>
#include <cstdint>

namespace cohub::http {

/// Tells a peer that keeps a connection busy with next to nothing from one that is merely slow.
/// Only the time that was spent waiting for bytes counts, so that a reader that pauses accuses
/// nobody.
class trickle_watch {
 public:
  static constexpr std::uint64_t least_rate = 1024;  ///< bytes a second

  /// @param window  how much waiting is looked at together; zero: nothing is a trickle
  explicit trickle_watch(std::chrono::milliseconds window) noexcept : window_(window) {}

  void received(std::uint64_t bytes) noexcept { bytes_ += bytes; }

  /// Counts time spent waiting: whether a whole window of it brought less than the least rate.
  bool waited(std::chrono::steady_clock::duration time) noexcept {
    waited_ += time;
    if (window_.count() <= 0 || waited_ < window_) return false;
    const double seconds = std::chrono::duration<double>(waited_).count();
    const bool trickles = static_cast<double>(bytes_) < seconds * static_cast<double>(least_rate);
    waited_ = {};
    bytes_ = 0;
    return trickles;
  }

 private:
  std::chrono::milliseconds window_;
  std::chrono::steady_clock::duration waited_{};
  std::uint64_t bytes_ = 0;
};

}  // namespace cohub::http
