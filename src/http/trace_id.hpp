#pragma once

#include "http/fields.hpp"

#include <cstdint>
#include <random>
#include <string>

namespace cohub::http {

/// The field by which a request is found again in the logs of the server; the Hub echoes it in
/// `X-Request-Id`.
inline constexpr const char* trace_field = "X-Amzn-Trace-Id";

/// A version 4 UUID of 122 of these bits.
std::string uuid4(std::uint64_t high, std::uint64_t low);

/// The id of a request with these headers: the caller's own trace id or `X-Request-Id`, else a
/// fresh UUID (hub-protocol, section 1.4).
std::string choose_trace_id(const fields& headers, const fields& home_headers,
                            std::mt19937_64& random);

/// What the server calls the request that it answered, as far as it may be shown; empty if it does
/// not say.
std::string answered_id(const fields& headers);

}  // namespace cohub::http
