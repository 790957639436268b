#include "transfer/commit/commit_attempts.hpp"

#include "http/retry_policy.hpp"

#include <algorithm>

namespace cohub::transfer {

commit_attempts::delay commit_attempts::conflicted(retry_limits limits, delay asked_by_server,
                                                   double jitter) noexcept {
  limits.attempts = std::max(limits.attempts, most_conflicts);
  return http::next_delay(limits, ++conflicts_, asked_by_server, jitter);
}

commit_attempts::delay commit_attempts::lost(const retry_limits& limits, delay asked_by_server,
                                             double jitter) noexcept {
  return http::next_delay(limits, ++losses_, asked_by_server, jitter);
}

}  // namespace cohub::transfer
