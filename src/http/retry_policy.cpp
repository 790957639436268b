#include "http/retry_policy.hpp"

#include "cohub/error.hpp"

#include "core/byte_range.hpp"
#include "core/structured_field.hpp"
#include "core/trim.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

namespace cohub::http {

namespace asio = boost::asio;

namespace {

/// More than ten years are not believed.
std::optional<std::uint64_t> believable(std::optional<std::uint64_t> seconds) noexcept {
  if (seconds > 315'360'000u) return {};
  return seconds;
}

}  // namespace

bool is_transient_status(int status) noexcept {
  constexpr std::array transient{408, 429, 500, 502, 503, 504};
  return std::find(transient.begin(), transient.end(), status) != transient.end();
}

bool is_closed_by_peer(boost::system::error_code code) noexcept {
  return code == asio::error::eof || code == asio::error::connection_reset ||
         code == asio::error::connection_aborted || code == asio::error::broken_pipe;
}

bool is_transient_failure(boost::system::error_code code) noexcept {
  return is_closed_by_peer(code) || code == asio::error::connection_refused ||
         code == asio::error::network_unreachable || code == asio::error::network_down ||
         code == asio::error::host_unreachable || code == asio::error::timed_out ||
         code == asio::error::host_not_found_try_again || code == errc::timed_out;
}

bool is_transient_proxy_failure(const boost::system::system_error& failure) noexcept {
  const auto* const known = dynamic_cast<const error*>(&failure);
  return known != nullptr && known->code() == errc::proxy_failure &&
         (known->http().status == 0 || is_transient_status(known->http().status));
}

std::optional<std::chrono::milliseconds> window_left(const fields& headers) {
  const auto limit = core::trim(headers.get("ratelimit"));
  // Only quoted bucket names are recognised (hub-protocol, section 9.4).
  if (!limit.starts_with('"') || core::number_parameter(limit, "r") != 0) return {};
  const auto left = believable(core::number_parameter(limit, "t"));
  if (!left) return {};
  return std::chrono::seconds(*left) + added_wait;
}

std::optional<std::chrono::milliseconds> requested_wait(int status, const fields& headers) {
  if (status == 429)
    if (const auto left = window_left(headers)) return left;
  if (const auto after = believable(core::parse_decimal(core::trim(headers.get("Retry-After")))))
    return std::chrono::seconds(*after) + added_wait;
  return {};
}

std::optional<std::chrono::milliseconds> next_delay(
    const retry_limits& limits, std::size_t attempt,
    std::optional<std::chrono::milliseconds> asked_by_server, double jitter) noexcept {
  if (attempt >= limits.attempts) return {};
  if (asked_by_server) {
    if (*asked_by_server - added_wait > limits.max_retry_after) return {};
    return asked_by_server;
  }
  const double doubled = static_cast<double>(limits.base_delay.count()) *
                         std::exp2(static_cast<double>(std::min<std::size_t>(attempt - 1, 30)));
  const double bounded = std::min(doubled, static_cast<double>(limits.max_delay.count()));
  return std::chrono::milliseconds(static_cast<std::int64_t>(bounded * jitter));
}

double draw_jitter() {
  thread_local std::minstd_rand random(std::random_device{}());
  return std::uniform_real_distribution<double>(0.0, 1.0)(random);
}

}  // namespace cohub::http
