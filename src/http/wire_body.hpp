#pragma once

#include "cohub/error.hpp"

#include "http/answer_bytes.hpp"
#include "http/connection_pool.hpp"
#include "http/response.hpp"

#include <chrono>
#include <memory>

namespace cohub::http {

/// The body of an answer: what the parser read ahead, then the socket straight into the caller's
/// buffer where the length is known, and through the parser where it is not. Its connection goes
/// back to the pool after the last byte.
/// @param reader    has the head
/// @param ahead     what came after the head
/// @param stall     as `time_limits::stall`
/// @param reusable  false if the connection is in a state that no other request can go on from
std::unique_ptr<response::body> make_wire_body(leased_connection lease,
                                               std::unique_ptr<answer_parser> reader,
                                               boost::beast::flat_buffer ahead,
                                               http_context context,
                                               std::chrono::milliseconds stall, bool reusable);

}  // namespace cohub::http
