#include "transfer/download_retry.hpp"

#include "cohub/error.hpp"

#include "http/retry_policy.hpp"

#include <boost/asio/error.hpp>

namespace cohub::transfer {

namespace asio = boost::asio;

bool is_transient(boost::system::error_code code) noexcept {
  return code == errc::truncated_body || http::is_transient_failure(code);
}

bool is_unreachable(boost::system::error_code code) noexcept {
  return is_transient(code) || code == asio::error::host_not_found ||
         code == asio::error::no_data || code == asio::error::access_denied;
}

status_verdict judge_status(int status, bool may_have_expired) noexcept {
  if (status == 200 || status == 206) return status_verdict::success;
  if (http::is_transient_status(status)) return status_verdict::retry;
  const bool refused =
      status == 400 || status == 401 || status == 403 || status == 404 || status == 410;
  return may_have_expired && refused ? status_verdict::relocate : status_verdict::fatal;
}

void retry_counter::weigh_attempt(std::uint64_t least) noexcept {
  if (came_ >= least) failures_ = crowded_ = relocations_ = 0;
  came_ = 0;
}

std::optional<std::chrono::milliseconds> retry_counter::next_delay(
    std::optional<std::chrono::milliseconds> asked_by_server, double jitter,
    bool stalled) noexcept {
  weigh_attempt(stalled ? worthwhile : 1);
  return http::next_delay(limits_, ++failures_, asked_by_server, jitter);
}

std::optional<std::chrono::milliseconds> retry_counter::next_delay_beside_others(
    std::optional<std::chrono::milliseconds> asked_by_server, double jitter) noexcept {
  if (crowded_ >= http::crowded_patience * limits_.attempts)
    return next_delay(asked_by_server, jitter);
  weigh_attempt(1);
  ++crowded_;
  return http::next_delay(limits_, 1, asked_by_server, jitter);
}

bool retry_counter::may_relocate() noexcept {
  weigh_attempt(1);
  return ++relocations_ <= 2;
}

}  // namespace cohub::transfer
