#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client_config.hpp"

#include "http/connection_pool.hpp"
#include "http/message.hpp"
#include "http/response.hpp"

#include <exception>
#include <functional>
#include <string>

namespace cohub::http {

/// One request and its answer on one connection.
struct exchange_outcome {
  response answer{};
  /// Set instead of an answer: the connection broke before a byte of the answer came, or what came
  /// is no HTTP (errc::invalid_response), or a success of a request that was not sent whole.
  std::exception_ptr no_answer{};
};

/// What the client adds to a request.
struct exchange_settings {
  std::string user_agent{};
  std::string trace_id{};
  time_limits limits{};
  /// Called with the head of the answer, before anybody else gets the connection.
  std::function<void(const response_head&)> on_head{};
};

/// Sends `what` on `lease` and reads the answer's head. The answer owns the connection from then
/// on. An answer that comes before the whole body was sent ends the sending.
/// `what` is lent: the caller awaits in the scope that owns it.
/// @throws error  errc::invalid_response, errc::timed_out; the system's code. Failures name the
/// request by its trace id, those of the answer's body by the id that the server gave it.
awaitable<exchange_outcome> exchange(leased_connection lease, const request& what,
                                     exchange_settings settings);

}  // namespace cohub::http
