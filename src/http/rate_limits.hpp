#pragma once

#include "core/url.hpp"
#include "http/fields.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace cohub::http {

/// The Hub counts requests for files, for its API and for its pages apart (hub-protocol,
/// section 9.4).
enum class rate_lane { resolvers, api, pages };
rate_lane lane_of(std::string_view path) noexcept;

/// What the servers have asked all requests to do: one request's 429 holds back the others too. And
/// the bound on retries: a server that fails whatever is asked is not asked again by everybody.
/// Pure; times are the caller's.
class rate_limits {
 public:
  using clock = std::chrono::steady_clock;

  /// @param longest  pauses beyond this and `added_wait` are not waited for by others: their own
  ///                 answer tells them
  /// @param budget   retries to an origin since its last success
  rate_limits(std::chrono::milliseconds longest, std::size_t budget)
      : longest_(longest), budget_(budget) {}

  /// Notes an answer. `asked` is the wait that a refused request was told.
  void answered(const core::url& url, int status, const fields& headers,
                std::optional<std::chrono::milliseconds> asked, clock::time_point now);
  /// When requests like this one may go out; nothing: now.
  std::optional<clock::time_point> pause(const core::url& url, clock::time_point now);

  /// How many requests the origin has done so far. One that it refuses while it does others is no
  /// sign of trouble.
  std::uint64_t served(const core::origin& where) const;

  /// Takes one retry from the origin's budget; false: it is spent.
  bool may_retry(const core::origin& where);

 private:
  std::chrono::milliseconds longest_;
  std::size_t budget_;
  std::map<std::pair<core::origin, rate_lane>, clock::time_point> pauses_{};
  std::map<core::origin, std::size_t> retries_{};
  std::map<core::origin, std::uint64_t> served_{};
};

}  // namespace cohub::http
