#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/error_condition.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace cohub {

/// What went wrong, whichever operation met it. Failures of sockets, of the resolver and of the
/// file system keep the code that the system gave them (`e.code() ==
/// boost::system::errc::no_space_on_device`, `boost::asio::error::host_not_found`).
enum class errc {
  // what the Hub says (hub-protocol, section 9.2)
  repository_not_found = 1,  ///< does not exist, or the token may not see it
  gated_repository,          ///< exists; access must be asked for on its page
  disabled_repository,       ///< switched off by the Hub
  bucket_not_found,          ///< no such storage bucket, or not visible with this token
  job_not_found,             ///< no such job
  revision_not_found,        ///< the repository has no such branch, tag or commit
  entry_not_found,           ///< the revision has no such file or folder
  unauthorized,              ///< 401: no token, or one that the Hub does not know
  forbidden,                 ///< 403: the token is known but may not do this
  bad_request,               ///< 400 or 422: the Hub refuses what was asked
  conflict,                  ///< 409: it exists already, or somebody else is changing it
  commit_conflict,    ///< the branch moved since the commit's parent; see `http_context::head`
  rate_limited,       ///< 429: too many requests; see `http_context::retry_after`
  server_failure,     ///< 5xx after all retries
  unexpected_status,  ///< any other status that is not a success

  // what the wire does
  certificate_rejected,  ///< the server's certificate is not trusted or is another host's
  truncated_body,        ///< the server closed before the promised number of bytes arrived
  timed_out,  ///< a connect, a first byte, a stalled body or a whole operation took too long
  too_many_redirects,  ///< a loop, or more hops than allowed
  invalid_response,  ///< the answer is not what the protocol says: malformed JSON, headers, ranges
  not_a_hub,         ///< the server answers, but without the headers every Hub sends
  content_mismatch,  ///< size or checksum of what arrived differs from what was promised
  ranges_unsupported,  ///< the server sends files only whole, and the part asked for is too far in
  proxy_failure,  ///< the proxy is unreachable, refuses (`http_context::status`), or is no HTTP
                  ///< proxy

  // what the caller asked for
  invalid_repository_id,  ///< not "name" or "owner/name"
  invalid_path,           ///< absolute, leaves the repository, or has a forbidden segment
  invalid_url,            ///< neither an http or https url nor, where those are taken, an hf:// one
  invalid_argument,       ///< an option out of range, or two that exclude each other
  local_entry_not_found,  ///< not in the cache, and the Hub was not asked, not reached, or did not
                          ///< tell: see `http_context::status`
  incomplete_snapshot,    ///< a snapshot in the cache lacks files, which could not be had
  offline,                ///< offline mode forbids the request

  // what is in files
  invalid_safetensors,   ///< the file breaks the safetensors format
  invalid_config,        ///< a config.json that does not fit the config type
  not_safetensors_repo,  ///< the repository has neither model.safetensors nor an index of shards
  invalid_card,          ///< a model card or its template that cannot be parsed
  incompatible_weights,  ///< tensors that are not those of the model: their names, shapes, dtypes
};

/// What several errors have in common, as the classes of the Python client's exceptions have:
/// `e.code() == error_kind::entry_not_found`.
enum class error_kind {
  repository_not_found = 1,  ///< errc::repository_not_found, gated_repository
  entry_not_found,           ///< errc::entry_not_found, local_entry_not_found, incomplete_snapshot
  hub_answer,                ///< whatever the Hub answered that was no success
};

/// The category of `errc`.
const boost::system::error_category& error_category() noexcept;

/// The category of `error_kind`.
const boost::system::error_category& error_kind_category() noexcept;

inline boost::system::error_condition make_error_condition(error_kind kind) noexcept {
  return {static_cast<int>(kind), error_kind_category()};
}

inline boost::system::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

/// The HTTP exchange behind an error. Empty fields were not sent.
struct http_context {
  int status = 0;     ///< 0: no response arrived
  std::string url{};  ///< never holds a token, a query or a signature
  /// `X-Request-Id`, else `X-Amzn-Trace-Id`, else `x-amz-cf-id` of the answer; where none came, the
  /// `X-Amzn-Trace-Id` that was sent.
  std::string request_id{};
  std::string server_message{};  ///< `X-Error-Message`, else the body's "error"
  std::string error_code{};      ///< `X-Error-Code`
  std::optional<std::chrono::seconds> retry_after{};  ///< that the server asks to wait
  std::string repo_id{};    ///< that the request was about, where an address of the API names it
  std::string repo_type{};  ///< of it: "model", "dataset", "space"
  std::string head{};       ///< of a refused commit: where its branch is now, 40 hex digits
};

/// Base of every exception this library throws, cancellation apart: that stays
/// `boost::system::system_error` with `boost::asio::error::operation_aborted`.
///
/// `what()` says what was being done, why it failed, the server's message and the request id.
/// Tokens and signed query strings never appear in it.
class error : public boost::system::system_error {
 public:
  /// @param doing  what was being done and, where it helps, what to do about the failure
  error(boost::system::error_code code, const std::string& doing);
  error(boost::system::error_code code, const std::string& doing, http_context http);
  // No moves: one that was moved from could say nothing.
  error(const error&) = default;
  error& operator=(const error&) = default;

  const char* what() const noexcept override { return text_->c_str(); }
  /// What was being done: `what()` without the reason and the exchange.
  const std::string& doing() const noexcept { return *doing_; }
  const http_context& http() const noexcept { return *http_; }

 private:
  // Shared, since copying an exception must not throw.
  std::shared_ptr<const std::string> doing_;
  std::shared_ptr<const std::string> text_;
  std::shared_ptr<const http_context> http_;
};

}  // namespace cohub

template <>
struct boost::system::is_error_code_enum<cohub::errc> : std::true_type {};
template <>
struct boost::system::is_error_condition_enum<cohub::error_kind> : std::true_type {};
