#pragma once

#include "cohub/client_config.hpp"

#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

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
/// @param may_have_expired  whether a redirect led to the address, which is not the Hub's own then
status_verdict judge_status(int status, bool may_have_expired) noexcept;

/// Counts failures without progress, and says how long to wait after each. Progress starts the
/// count again.
class retry_counter {
 public:
  /// What an attempt that stalled must have brought: a trickle is no reason to go on for ever.
  static constexpr std::uint64_t worthwhile = 64 * 1024;

  /// @param activity  of all requests, as for `others_went_on`
  explicit retry_counter(retry_limits limits, std::uint64_t activity = 0)
      : limits_(limits), activity_(activity) {}

  /// New bytes came.
  void progressed(std::uint64_t bytes) noexcept { came_ += bytes; }
  /// The wait before the next try after a failure, or nothing to give up.
  std::optional<std::chrono::milliseconds> next_delay(
      std::optional<std::chrono::milliseconds> asked_by_server, double jitter,
      bool stalled = false) noexcept;
  /// The same of a request that a server had no room for while others of its client went on: it is
  /// no sign of trouble, so that many more of them are borne.
  std::optional<std::chrono::milliseconds> next_delay_beside_others(
      std::optional<std::chrono::milliseconds> asked_by_server, double jitter) noexcept;
  /// Notes how much all requests of the client have brought so far; whether that is more than at
  /// the last failure.
  bool others_went_on(std::uint64_t activity) noexcept {
    return std::exchange(activity_, activity) != activity;
  }
  /// Whether the attempt that failed brought enough to be no failure in the count, but a step.
  bool brought_enough(bool stalled) const noexcept {
    return came_ >= (stalled ? worthwhile : std::uint64_t{1});
  }
  /// Whether the Hub may be asked for another address: at once, but not for ever.
  bool may_relocate() noexcept;

 private:
  void weigh_attempt(std::uint64_t least) noexcept;

  retry_limits limits_;
  std::uint64_t activity_;  // at the last failure
  std::uint64_t came_ = 0;  // since then
  std::size_t failures_ = 0;
  std::size_t crowded_ = 0;  // those that came of others' requests
  std::size_t relocations_ = 0;
};

}  // namespace cohub::transfer
