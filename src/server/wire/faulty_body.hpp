#pragma once

#include "cohub/local_hub.hpp"

#include "http/stream.hpp"
#include "server/wire/message.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <string>

namespace cohub::server {

/// Writes the head and as much of the answer's body as `fault` lets through, in its pieces and with
/// its wrong bytes. False if the connection has done its service: the body is cut, or its length
/// was a lie.
/// @param file_offset  of the body's first byte in the file it is a part of
awaitable<bool> write_faulty_body(http::stream& connection, asio::any_io_executor pool,
                                  std::string head, reply answer, hub_fault fault,
                                  std::uint64_t file_offset);

}  // namespace cohub::server
