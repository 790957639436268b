#include "server/handlers/rate_limiter.hpp"

#include "server/failure.hpp"
#include "server/handlers/target.hpp"

#include <cstddef>
#include <vector>

namespace cohub::server {

namespace {
/// Whoever comes beyond so many in one window shares the count of the last one.
constexpr std::size_t most_callers = 100'000;
}  // namespace

std::string_view rate_limiter::bucket_of(std::string_view target) {
  std::vector<std::string> parts;
  try {
    parts = path_segments(target);  // as it is routed, whatever of it is percent-encoded
  } catch (const failure&) {
    return "resolvers";  // nothing answers it
  }
  if (parts.size() > 1 && parts[0] == "api")
    return parts[1] == "resolve-cache" ? "resolvers" : "api";
  for (std::size_t i = 0; i + 3 < parts.size(); ++i)
    if (parts[i].ends_with(".git") && parts[i + 1] == "info" && parts[i + 2] == "lfs") return "api";
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
