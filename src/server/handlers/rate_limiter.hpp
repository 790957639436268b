#pragma once

#include "cohub/local_hub.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace cohub::server {

/// Counts requests in fixed windows, by bucket and by whoever makes them (hub-protocol, section
/// 9.4). Of one executor.
class rate_limiter {
 public:
  using clock = std::chrono::steady_clock;

  explicit rate_limiter(local_hub_rate_limits limits) : limits_(limits) {}

  struct verdict {
    bool admitted = true;
    std::string bucket{};          ///< empty: nothing is counted there
    std::uint64_t quota = 0;       ///< requests a window
    std::uint64_t left = 0;        ///< of them, this one counted
    std::chrono::seconds ends{0};  ///< until the window does, rounded up
    std::chrono::seconds window{0};
  };

  /// @param who  user or address
  verdict admit(std::string_view target, const std::string& who, clock::time_point now);
  void end_window() noexcept;

  /// "api" or "resolvers".
  static std::string_view bucket_of(std::string_view target);

 private:
  local_hub_rate_limits limits_;
  clock::time_point ends_{};
  std::map<std::string, std::uint64_t> counts_;  // by bucket and who, of this window
};

}  // namespace cohub::server
