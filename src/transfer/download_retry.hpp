#pragma once

#include "cohub/client_config.hpp"

#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <optional>

/// Which failures of a download are met by another try, and when. Pure.
namespace cohub::transfer {

/// Failures of the network that another try may not meet: a broken, refused or stalled connection,
/// a body that ended early.
bool is_transient(boost::system::error_code code) noexcept;

/// Failures that mean the Hub was not reached at all.
bool is_unreachable(boost::system::error_code code) noexcept;

/// What to do about an answer's status.
enum class status_verdict {
  success,   ///< 200 or 206
  retry,     ///< the server's trouble
  relocate,  ///< a signed address that expired: the Hub is asked for another
  fatal
};
/// @param foreign  whether another origin than the Hub's answered, one that a redirect led to
status_verdict judge_status(int status, bool foreign) noexcept;

/// Counts failures without progress, and says how long to wait after each. Any progress starts the
/// count again.
class retry_counter {
 public:
  explicit retry_counter(retry_limits limits) : limits_(limits) {}

  void progressed() noexcept {
    failures_ = 0;
    relocations_ = 0;
  }
  /// The wait before the next try after a failure, or nothing to give up.
  std::optional<std::chrono::milliseconds> next_delay(
      std::optional<std::chrono::milliseconds> asked_by_server, double jitter) noexcept;
  /// Whether the Hub may be asked for another address: at once, but not for ever.
  bool may_relocate() noexcept { return ++relocations_ <= 2; }

 private:
  retry_limits limits_;
  std::size_t failures_ = 0;
  std::size_t relocations_ = 0;
};

/// Uniform in [0, 1).
double draw_jitter();

}  // namespace cohub::transfer
