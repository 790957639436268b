#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client_config.hpp"
#include "cohub/error.hpp"

#include "core/url.hpp"
#include "http/fields.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace cohub::http {

enum class method { get, head, post, put, delete_ };
std::string_view to_string(method verb) noexcept;

/// Where a request's body comes from. Read from the start once a try: a body may be sent several
/// times.
class body_source {
 public:
  virtual ~body_source() = default;
  /// Exact length in bytes: it becomes the Content-Length.
  virtual std::uint64_t size() const = 0;
  /// Goes back to the first byte.
  virtual awaitable<void> rewind() = 0;
  /// Fills the front of `buffer`, which outlives the call; 0 only at the end.
  virtual awaitable<std::size_t> read(std::span<std::byte> buffer) = 0;
};

/// A body held in memory.
std::shared_ptr<body_source> bytes_body(std::string bytes);

/// What to do with an answer that points elsewhere.
enum class redirects {
  none,         ///< hand it to the caller
  same_origin,  ///< follow where credentials may go too (`keeps_credentials`); hand over the others
  follow        ///< follow all; credentials are dropped where they must not go
};

struct request {
  method verb = method::get;
  core::url url{};
  fields headers{};  ///< Host, Content-Length and User-Agent are filled in
  /// Sent as well, in place of `headers` of the same name, until a redirect leads to where
  /// credentials must not go.
  fields home_headers{};
  std::shared_ptr<body_source> body{};  ///< null: none
  http::redirects redirects = redirects::follow;
  /// Whether sending it twice does no harm: only then a lost answer is retried.
  bool idempotent = true;
  /// Whether 503 with `Retry-After` tells that nothing was done: then it is sent again though it is
  /// not idempotent. False: who sends it finds out.
  bool busy_is_undone = true;
  bool retry = true;                      ///< false: one try, whatever the policy says
  std::optional<time_limits> timeouts{};  ///< unset: the transport's
  /// For being answered, over all tries and redirects: the time on a connection, from the first
  /// byte sent to the head of the answer. Connecting has as much again; waiting in line for a
  /// connection and waiting because a server asks for it do not count. A request that is not
  /// retried does not wait longer than this for a server either: errc::rate_limited. Unset or zero:
  /// no limit.
  std::optional<std::chrono::milliseconds> limit{};
  /// Asked before each try, when a connection is at hand: false throws `unwanted_request` instead,
  /// and leaves the connection to others. Empty: it is wanted.
  std::function<bool()> wanted{};
};

/// What was to be asked for is not needed any more.
struct unwanted_request {};

/// Status and headers of an answer.
struct response_head {
  int status = 0;
  fields headers{};
  core::url url{};  ///< that finally answered, after redirects
  /// Headers of the redirects that were followed to get here, first hop first.
  fields redirect_headers{};
};

/// For an error about an answer that makes no sense.
http_context context_of(const response_head& head);

}  // namespace cohub::http
