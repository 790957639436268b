#pragma once

#include "cohub/client_config.hpp"

#include <chrono>
#include <cstddef>
#include <optional>

namespace cohub::transfer {

/// Counts how often one commit was posted in vain, by the reason, and says what may follow. Pure.
class commit_attempts {
 public:
  using delay = std::optional<std::chrono::milliseconds>;

  /// A commit that goes on top of what others commit meanwhile loses to them so often, before it
  /// fails.
  static constexpr std::size_t most_conflicts = 12;
  /// After so many, it is sent without a condition: who has much to send is never the first.
  static constexpr std::size_t most_conditions = 4;
  /// Tries to send small files as they are, while they change.
  static constexpr std::size_t most_readings = 3;

  /// A file was changed while it was sent. Whether the commit may be sent again, at once.
  bool disturbed() noexcept { return ++readings_ < most_readings; }
  /// What it deletes is not there. Whether the commit may be sent again, without that.
  bool missed() noexcept { return ++misses_ < most_readings; }
  /// Others had moved the branch.
  /// @param limits  that may allow more tries than they say: conflicts pass
  /// @return the wait before the next try; nothing: no more
  delay conflicted(retry_limits limits, delay asked_by_server, double jitter) noexcept;
  /// The answer was lost. @return as above
  delay lost(const retry_limits& limits, delay asked_by_server, double jitter) noexcept;

  /// Whether the commit may have been made, by a try whose answer was lost.
  bool may_be_made() const noexcept { return losses_ > 0; }
  /// Whether the next try goes on top of whatever is there; not where that may be the commit.
  bool drops_condition() const noexcept { return !may_be_made() && conflicts_ >= most_conditions; }

 private:
  std::size_t conflicts_ = 0;
  std::size_t losses_ = 0;
  std::size_t readings_ = 0;
  std::size_t misses_ = 0;
};

}  // namespace cohub::transfer
