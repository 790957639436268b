#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cohub::http {

/// Told once what a host's addresses are.
using addresses_handler =
    std::function<void(boost::system::error_code, std::vector<asio::ip::tcp::endpoint>)>;

/// Tells a lookup that nobody waits for it any more.
using lookup_canceller = std::function<void()>;

/// Starts to look up a host, and tells the handler on that executor, however late.
using lookup_starter =
    std::function<lookup_canceller(asio::any_io_executor executor, const std::string& host,
                                   std::uint16_t port, addresses_handler handler)>;

/// The system's resolver: Asio's, whose thread is inside getaddrinfo for as long as that takes.
lookup_starter system_lookup();

/// Addresses of a host. A literal address needs no resolver. Cancellation ends the waiting at once,
/// since a name server that does not answer cannot be interrupted; what it says later is dropped,
/// and lookups that wait for the resolver's thread are taken out of its line.
/// @throws boost::system::system_error  of the resolver
awaitable<std::vector<asio::ip::tcp::endpoint>> look_up(std::string host, std::uint16_t port,
                                                        lookup_starter start = system_lookup());

}  // namespace cohub::http
