#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client_config.hpp"

#include "http/message.hpp"
#include "http/proxy_settings.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cohub::http {

/// An answer whose body is still on the wire. Reading it to the end gives the connection back to
/// the pool; dropping the response before that closes it.
class response {
 public:
  response() = default;
  response(response&&) noexcept = default;
  response& operator=(response&&) noexcept = default;
  ~response() = default;

  const response_head& head() const noexcept { return head_; }
  void set_redirect_headers(fields headers) { head_.redirect_headers = std::move(headers); }
  int status() const noexcept { return head_.status; }
  std::string_view header(std::string_view name) const noexcept { return head_.headers.get(name); }
  /// Body length as announced; nothing where it is chunked or ends with the connection.
  std::optional<std::uint64_t> content_length() const noexcept { return length_; }

  /// Reads what is there, at most `buffer.size()` bytes, into `buffer`, which outlives the call; 0
  /// is the end.
  /// @throws error  errc::truncated_body, errc::timed_out (stalled)
  awaitable<std::size_t> read_some(std::span<std::byte> buffer);

  /// The two halves of `read_some`, for bodies whose bytes are handled on a pool: reads what has
  /// come, without waiting (0 is the end; nothing: `wait_readable` first). Any thread may, while
  /// nothing else uses the response; `settle` comes afterwards, on the executor.
  std::optional<std::size_t> try_read_some(std::span<std::byte> buffer);
  awaitable<void> wait_readable();
  /// Gives the connection back if the body has been read to its end.
  void settle() noexcept;

  /// Reads the rest; more than `limit` bytes are errc::invalid_response.
  awaitable<std::string> read_all(std::uint64_t limit = 64u << 20);
  /// Reads and drops a short rest so that the connection can be used again. One that is long, slow
  /// or cut closes it, and is no error: nobody wants it.
  awaitable<void> finish();

  /// What carries the body: one exchange on a leased connection.
  class body {
   public:
    virtual ~body() = default;
    virtual std::optional<std::size_t> try_read_some(std::span<std::byte> buffer) = 0;
    virtual awaitable<void> wait_readable() = 0;
    virtual bool ended() const noexcept = 0;
  };
  response(response_head head, std::optional<std::uint64_t> length, std::unique_ptr<body> content)
      : head_(std::move(head)), length_(length), body_(std::move(content)) {}

 private:
  response_head head_{};
  std::optional<std::uint64_t> length_{};
  std::unique_ptr<body> body_{};  // null: no body, or read to its end
};

/// One request that was sent, or was to be, and what came of it. Lent for the call.
struct request_report {
  const request& what;
  const response_head* answer = nullptr;  ///< null: none came
  std::exception_ptr failure{};           ///< then this is why
  std::chrono::nanoseconds duration{};    ///< until the head of the answer was there
  std::string_view trace_id{};            ///< that the request bore
};

struct transport_config {
  time_limits timeouts{};
  retry_limits retries{};
  std::size_t max_connections = 16;        ///< to one origin
  std::size_t max_total_connections = 64;  ///< to all of them; at least `max_connections` hold
  std::filesystem::path
      ca_file{};  ///< empty: SSL_CERT_FILE / SSL_CERT_DIR, else the system's store
  asio::any_io_executor
      blocking_executor{};   ///< where files are read; empty: the transport's own executor
  proxy_settings proxies{};  ///< none unless set: the environment is not read here
  std::string user_agent = "cohub";
  /// Called after each request, also each try and each hop of a redirect; may be empty.
  std::function<void(const request_report&)> on_request{};
};

/// Sends requests over kept-alive connections: http and https, redirects, timeouts, retries.
/// One executor, one thing at a time. Cancellation at every await closes the connection in use.
class transport {
 public:
  transport(asio::any_io_executor executor, transport_config config);
  ~transport();

  /// Sends and yields the answer as soon as its head is there, whatever its status. Retries by the
  /// policy what may be retried: connection failures before an answer, and 408, 429, 500, 502, 503,
  /// 504.
  /// @throws error  of the network, with the url; never for a status
  awaitable<response> send(request what);

  /// Takes one retry of the origin's budget (`retry_limits::budget`), for requests that are sent
  /// with `retry` off because their sender knows better when to try again; false: it is spent.
  bool may_retry(const core::origin& where);

  /// Connections that are open now, idle or leased.
  std::size_t open_connections() const noexcept;
  /// Closes the connections that no request uses.
  void close_idle_connections() noexcept;

  struct state;

 private:
  std::shared_ptr<state> state_;
};

}  // namespace cohub::http
