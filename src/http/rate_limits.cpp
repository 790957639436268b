#include "http/rate_limits.hpp"

#include "http/retry_policy.hpp"

namespace cohub::http {

rate_lane lane_of(std::string_view path) noexcept {
  // A mirror's endpoint may put a prefix in front.
  if (path.find("/resolve/") != path.npos || path.find("/resolve-cache/") != path.npos)
    return rate_lane::resolvers;
  return path.find("/api/") != path.npos ? rate_lane::api : rate_lane::pages;
}

void rate_limits::answered(const core::url& url, int status, const fields& headers,
                           std::optional<std::chrono::milliseconds> asked, clock::time_point now) {
  if (!is_transient_status(status)) {
    retries_.erase(url.origin);
    ++served_[url.origin];
  }
  auto wait = status == 429 || status == 503 ? asked : std::nullopt;
  if (!wait) wait = window_left(headers);
  if (!wait || *wait - added_wait > longest_) return;
  auto& until = pauses_[{url.origin, lane_of(url.path())}];
  until = std::max(until, now + *wait);
}

std::optional<rate_limits::clock::time_point> rate_limits::pause(const core::url& url,
                                                                 clock::time_point now) {
  if (pauses_.empty()) return {};
  const auto found = pauses_.find({url.origin, lane_of(url.path())});
  if (found == pauses_.end()) return {};
  if (found->second > now) return found->second;
  pauses_.erase(found);
  return {};
}

std::uint64_t rate_limits::served(const core::origin& where) const {
  const auto found = served_.find(where);
  return found == served_.end() ? 0 : found->second;
}

bool rate_limits::may_retry(const core::origin& where) {
  auto& spent = retries_[where];
  if (spent >= budget_) return false;
  ++spent;
  return true;
}

}  // namespace cohub::http
