#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace cohub::server {

/// How quickly a client takes an answer of late: by the piece that it has taken last and the one
/// that waits for it, since what went before may only have filled the buffers on the way.
class pace_meter {
 public:
  using clock = std::chrono::steady_clock;

  /// A piece begins to wait, a first one of an answer maybe.
  void begin(clock::time_point now = clock::now()) noexcept { waiting_since_ = now; }
  /// The piece was taken.
  void end(std::size_t bytes, clock::time_point now = clock::now()) noexcept {
    if (waiting_since_) last_time_ = now - *waiting_since_;
    last_bytes_ = bytes;
    waiting_since_.reset();
  }
  /// Nothing is written any more.
  void reset() noexcept { *this = pace_meter(); }

  /// Bytes in a second; nothing where nobody is waited for, or not for long enough to tell.
  std::optional<double> pace(clock::time_point now = clock::now()) const noexcept {
    constexpr std::chrono::seconds long_enough{1};
    if (!waiting_since_ || now - *waiting_since_ < long_enough) return std::nullopt;
    const std::chrono::duration<double> time = last_time_ + (now - *waiting_since_);
    return static_cast<double>(last_bytes_) / time.count();
  }

 private:
  std::optional<clock::time_point> waiting_since_{};
  clock::duration last_time_{};
  std::size_t last_bytes_ = 0;
};

}  // namespace cohub::server
