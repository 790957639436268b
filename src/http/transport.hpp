#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client_config.hpp"
#include "cohub/error.hpp"

#include "http/message.hpp"
#include "http/proxy_settings.hpp"
#include "http/response.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace cohub::http {

/// One request that was sent, or was to be, and what came of it. Lent for the call.
struct request_report {
  const request& what;
  const response_head* answer = nullptr;  ///< null: none came
  std::exception_ptr failure{};           ///< then this is why
  std::chrono::nanoseconds duration{};    ///< until the head of the answer was there
  std::string_view trace_id{};            ///< that the request bore
};

/// errc::invalid_response: a redirect to where none may lead, as from https to http.
struct refused_redirect : error {
  using error::error;
  explicit refused_redirect(const error& failure) : error(failure) {}
};

struct transport_config {
  time_limits timeouts{};
  retry_limits retries{};
  std::size_t max_connections = 16;        ///< to one origin
  std::size_t max_total_connections = 64;  ///< to all of them; at least `max_connections` hold
  std::filesystem::path ca_file{};         ///< empty: as `client_config::ca_file`
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
