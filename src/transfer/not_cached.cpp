#include "transfer/not_cached.hpp"

#include "cohub/error.hpp"

#include "http/retry_policy.hpp"
#include "transfer/download_retry.hpp"

#include <algorithm>
#include <utility>

namespace cohub::transfer {

namespace {

/// Whether the Hub answered, but not the question.
bool evades_question(boost::system::error_code code) noexcept {
  return code == errc::disabled_repository || code == errc::forbidden ||
         code == errc::bad_request || code == errc::conflict || code == errc::rate_limited ||
         code == errc::server_failure || code == errc::unexpected_status;
}

/// The code of an exception of this library or of the system; else none.
boost::system::error_code code_of(const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code();
  } catch (...) {
    return {};
  }
}

/// The second question may take longer: it is the last resort.
constexpr std::chrono::milliseconds patient_limit{60'000};

}  // namespace

bool may_pass(const std::exception_ptr& failure, std::chrono::milliseconds longest) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    const bool soon = e.http().retry_after.value_or(std::chrono::seconds(0)) <= longest;
    return is_unreachable(e.code()) || (soon && http::is_transient_status(e.http().status));
  } catch (const boost::system::system_error& e) {
    return is_unreachable(e.code());
  } catch (...) {
    return false;
  }
}

std::chrono::milliseconds patient(std::chrono::milliseconds limit) noexcept {
  return limit.count() == 0 ? limit : std::max(limit, patient_limit);
}

bool may_fall_back(const std::exception_ptr& failure) noexcept {
  const auto code = code_of(failure);
  return code != errc::entry_not_found && code != errc::revision_not_found &&
         code != errc::proxy_failure;
}

void throw_not_cached(const std::string& what, const std::exception_ptr& failure) {
  std::string reason;
  http_context context;
  bool is_known = false;
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    is_known = e.code() == errc::offline || is_unreachable(e.code()) || evades_question(e.code());
    context = e.http();
    // What the context tells is in the text of the new error anyway.
    reason = context.status != 0 ? e.code().message() : e.what();
  } catch (const boost::system::system_error& e) {
    is_known = is_unreachable(e.code());
    reason = e.what();
  } catch (...) {
  }
  if (!is_known) std::rethrow_exception(failure);
  throw error(errc::local_entry_not_found,
              what + " is not in the cache, and was not fetched (" + reason + ")",
              std::move(context));
}

}  // namespace cohub::transfer
