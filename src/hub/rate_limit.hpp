#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cohub::hub {

/// What the Hub tells of one of its rate limits (hub-protocol, section 9.4).
struct rate_limit {
  std::string bucket{};                   ///< "api", "resolvers", "pages"
  std::uint64_t left = 0;                 ///< requests
  std::uint64_t seconds = 0;              ///< to the end of the window
  std::optional<std::uint64_t> quota{};   ///< requests a window
  std::optional<std::uint64_t> window{};  ///< its seconds
};

/// Reads the `ratelimit` header and `ratelimit-policy`, which may be empty: `"api";r=0;t=55` and
/// `"fixed window";"api";q=500;w=300`. Nothing for other forms, unquoted names among them.
std::optional<rate_limit> parse_rate_limit(std::string_view limit, std::string_view policy);

}  // namespace cohub::hub
