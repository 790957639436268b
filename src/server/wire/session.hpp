#pragma once

#include "http/stream.hpp"
#include "server/wire/message.hpp"
#include "server/wire/pace_meter.hpp"
#include "server/wire/traffic.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace cohub::server {

/// What the connections of one listener share.
struct session_context {
  std::shared_ptr<request_handler> handler{};
  std::shared_ptr<server::traffic> traffic{};
  asio::any_io_executor pool{};        ///< where files are read
  std::shared_ptr<void> pool_owner{};  ///< keeps the pool while a connection may still turn to it
  std::chrono::milliseconds idle_limit{60'000};
  bool content = false;   ///< the listener of file contents
  bool stopping = false;  ///< no further request on any connection
  std::size_t open = 0;   ///< connections that there are
};

class request_reader;

/// What a listener may know of a connection while it is served.
struct session_status {
  http::stream* connection = nullptr;
  const request_reader* requests = nullptr;  ///< as long as there is a connection
  pace_meter answer{};                       ///< of the answer that is being written
  std::string peer{};                        ///< address at the other end
  bool busy = false;                         ///< between a request's head and the end of its answer
  std::chrono::steady_clock::time_point idle_since{};  ///< where it is not
};

/// Answers the requests of one connection until either side ends it. Never throws; `status`
/// outlives it.
awaitable<void> serve(std::shared_ptr<session_context> context,
                      std::unique_ptr<http::stream> connection,
                      std::shared_ptr<session_status> status);

}  // namespace cohub::server
