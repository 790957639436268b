#include "server/handlers/rate_limiter.hpp"

namespace cohub::server {

namespace {
/// Whoever comes beyond so many in one window shares the count of the last one.
constexpr std::size_t most_callers = 100'000;
}  // namespace

std::string_view rate_limiter::bucket_of(std::string_view target) noexcept {
  if (target.starts_with("/api/resolve-cache/")) return "resolvers";
  const auto path = target.substr(0, target.find('?'));
  if (target.starts_with("/api/") || path.find(".git/info/lfs/") != path.npos) return "api";
  return "resolvers";
}

rate_limiter::verdict rate_limiter::admit(std::string_view target, const std::string& who,
                                          clock::time_point now) {
  verdict result;
  const auto bucket = bucket_of(target);
  result.quota = bucket == "api" ? limits_.api : limits_.resolvers;
  if (result.quota == 0) return result;
  result.bucket = bucket;
  result.window = limits_.window;
  if (now >= ends_) {
    counts_.clear();
    ends_ = now + limits_.window;
  }
  std::string key = result.bucket + ' ' + who;
  if (counts_.size() >= most_callers && counts_.find(key) == counts_.end())
    key = result.bucket + " others";
  auto& count = counts_[key];
  result.admitted = count < result.quota;
  if (result.admitted) ++count;
  result.left = result.quota - count;
  result.ends = std::chrono::ceil<std::chrono::seconds>(ends_ - now);
  return result;
}

void rate_limiter::end_window() noexcept {
  counts_.clear();
  ends_ = {};
}

}  // namespace cohub::server
