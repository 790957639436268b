#include "transfer/not_cached.hpp"

#include "cohub/error.hpp"

#include "transfer/download_retry.hpp"

#include <utility>

namespace cohub::transfer {

namespace {

/// Whether the Hub answered, but not the question.
bool is_no_answer(boost::system::error_code code) noexcept {
  return code == errc::disabled_repository || code == errc::forbidden ||
         code == errc::bad_request || code == errc::conflict || code == errc::rate_limited ||
         code == errc::server_failure || code == errc::unexpected_status;
}

}  // namespace

boost::system::error_code code_of(const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code();
  } catch (...) {
    return {};
  }
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
    is_known = e.code() == errc::offline || is_unreachable(e.code()) || is_no_answer(e.code());
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
