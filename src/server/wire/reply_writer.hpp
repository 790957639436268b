#pragma once

#include "cohub/local_hub.hpp"

#include "http/stream.hpp"
#include "server/wire/message.hpp"
#include "server/wire/pace_meter.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace cohub::server {

/// How an answer is put on the wire.
struct reply_framing {
  bool head_only = false;  ///< the answer to a HEAD: all headers, no body
  bool keep_alive = true;
  std::string request_id{};
  std::optional<hub_fault> fault{};
  std::uint64_t file_offset = 0;           ///< of the body's first byte in the file it is a part of
  std::chrono::milliseconds idle_limit{};  ///< how long the client may be still; zero: for ever
  std::size_t piece = 512 * 1024;          ///< bytes of a body that are in memory at once
  pace_meter* pace = nullptr;              ///< is told of what the client takes; outlives the call
};

/// Writes head and body; files are read on `pool`, one bounded buffer at a time. Clients that take
/// less than `slowest_pace` are given up. False if a fault cut the answer short. `connection`
/// outlives the call.
awaitable<bool> write_reply(http::stream& connection, asio::any_io_executor pool, reply answer,
                            reply_framing framing);

}  // namespace cohub::server
