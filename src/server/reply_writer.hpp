#pragma once

#include "cohub/local_hub.hpp"

#include "http/stream.hpp"
#include "server/message.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <optional>
#include <string>

namespace cohub::server {

/// How an answer is put on the wire.
struct reply_framing {
  bool head_only = false;  ///< the answer to a HEAD: all headers, no body
  bool keep_alive = true;
  std::string request_id{};
  std::optional<hub_fault> fault{};
};

/// Writes head and body; files are read on `pool`, one bounded buffer at a time. False if a fault
/// cut the answer short. `connection` outlives the call.
awaitable<bool> write_reply(http::stream& connection, asio::any_io_executor pool, reply answer,
                            reply_framing framing);

}  // namespace cohub::server
