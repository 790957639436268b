#pragma once

#include "core/url.hpp"
#include "http/lookup.hpp"
#include "http/proxy_settings.hpp"
#include "http/stream.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <optional>

namespace cohub::http {

/// Opens a stream to an origin: resolves, connects to the first address that answers, and for https
/// handshakes. Bounded by the caller (`io::with_timeout`).
/// @param hosts     where addresses are looked up
/// @param through   the proxy that is connected to instead; for https a tunnel through it is opened
/// @param sessions  the TLS sessions of this very origin
/// @throws error  errc::proxy_failure, errc::certificate_rejected, the resolver's or the system's
/// code
awaitable<std::unique_ptr<stream>> connect(std::shared_ptr<address_book> hosts, core::origin where,
                                           std::optional<proxy> through,
                                           std::shared_ptr<asio::ssl::context> context,
                                           std::shared_ptr<tls_session_shelf> sessions);

}  // namespace cohub::http
