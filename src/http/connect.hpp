#pragma once

#include "core/url.hpp"
#include "http/stream.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>

namespace cohub::http {

/// Opens a stream to an origin: resolves, connects to the first address that answers, and for https
/// handshakes. Bounded by the caller (`io::with_timeout`).
/// @throws error  the resolver's or the system's code, or errc::certificate_rejected
awaitable<std::unique_ptr<stream>> connect(core::origin where,
                                           std::shared_ptr<asio::ssl::context> context);

}  // namespace cohub::http
