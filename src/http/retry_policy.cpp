#include "http/retry_policy.hpp"

#include "cohub/error.hpp"

#include "core/byte_range.hpp"
#include "core/trim.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace cohub::http {

namespace {

/// Whole seconds; more than ten years are not believed.
std::optional<std::uint64_t> parse_seconds(std::string_view text) noexcept {
  const auto value = core::parse_decimal(core::trim(text));
  if (value > 315'360'000u) return {};
  return value;
}

/// A parameter of a structured-field item: `"api";r=0;t=55`, blanks allowed.
std::optional<std::uint64_t> parameter(std::string_view item, std::string_view name) noexcept {
  while (!item.empty()) {
    const auto end = std::min(item.find(';'), item.size());
    const auto part = core::trim(item.substr(0, end));
    item.remove_prefix(std::min(end + 1, item.size()));
    const auto equals = part.find('=');
    if (equals != part.npos && core::trim(part.substr(0, equals)) == name)
      return parse_seconds(part.substr(equals + 1));
  }
  return {};
}

}  // namespace

bool is_transient_status(int status) noexcept {
  constexpr std::array transient{408, 429, 500, 502, 503, 504};
  return std::find(transient.begin(), transient.end(), status) != transient.end();
}

bool is_transient_proxy_failure(const boost::system::system_error& failure) noexcept {
  const auto* const known = dynamic_cast<const error*>(&failure);
  return known != nullptr && known->code() == errc::proxy_failure &&
         (known->http().status == 0 || is_transient_status(known->http().status));
}

std::optional<std::chrono::milliseconds> window_left(const fields& headers) {
  const auto limit = core::trim(headers.get("ratelimit"));
  // Only quoted bucket names are recognised (hub-protocol, section 9.4).
  if (!limit.starts_with('"') || parameter(limit, "r") != 0) return {};
  const auto left = parameter(limit, "t");
  if (!left) return {};
  return std::chrono::seconds(*left + 1);
}

std::optional<std::chrono::milliseconds> requested_wait(int status, const fields& headers) {
  if (status == 429)
    if (const auto left = window_left(headers)) return left;
  if (const auto after = parse_seconds(headers.get("Retry-After")))
    return std::chrono::seconds(*after + 1);
  return {};
}

std::optional<std::chrono::milliseconds> next_delay(
    const retry_limits& limits, std::size_t attempt,
    std::optional<std::chrono::milliseconds> asked_by_server, double jitter) noexcept {
  if (attempt >= limits.attempts) return {};
  if (asked_by_server) {
    if (*asked_by_server > limits.max_retry_after) return {};
    return asked_by_server;
  }
  const double doubled = static_cast<double>(limits.base_delay.count()) *
                         std::exp2(static_cast<double>(std::min<std::size_t>(attempt - 1, 30)));
  const double bounded = std::min(doubled, static_cast<double>(limits.max_delay.count()));
  return std::chrono::milliseconds(static_cast<std::int64_t>(bounded * jitter));
}

}  // namespace cohub::http
