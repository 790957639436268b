#pragma once

#include "cohub/awaitable.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace cohub::http {

/// Fires once when nothing has been reported for a while. Reporting costs a clock reading: the
/// timer is only set anew when it expires, not at every read.
class silence_watch {
 public:
  silence_watch(asio::any_io_executor executor, std::function<void()> on_silence);
  ~silence_watch();
  silence_watch(silence_watch&&) = delete;

  /// Starts watching from now; zero stops.
  void set_limit(std::chrono::milliseconds limit);
  /// Watches from now on again, also after it has fired.
  void restart();
  /// Something moved. From any thread.
  void touch() noexcept;
  bool fired() const noexcept;

 private:
  struct state;
  static void wait(std::shared_ptr<state> self);
  std::shared_ptr<state> state_;
};

}  // namespace cohub::http
