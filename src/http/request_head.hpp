#pragma once

#include "http/exchange.hpp"

#include <string>

namespace cohub::http {

/// The request line and header fields as bytes.
/// @param through  the proxy that gets the request and hands it on; may be null
/// @throws error  errc::invalid_argument: a field with a line break
std::string serialize_head(const request& what, const exchange_settings& settings,
                           const proxy* through);

}  // namespace cohub::http
