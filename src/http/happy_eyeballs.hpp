#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <vector>

namespace cohub::http {

/// The order in which addresses are tried: the families take turns, the first address's family
/// first, the resolver's order kept within each (RFC 8305, section 4). At most 16: more than a host
/// has, and what a hostile name server may make us open.
std::vector<asio::ip::tcp::endpoint> interleave(std::vector<asio::ip::tcp::endpoint> addresses);

/// Connects to whichever of `addresses` answers first: they are tried in order, the next one
/// `delay` after the one before or as soon as that has failed (RFC 8305, section 5). The attempts
/// that are not needed are cancelled and closed before this returns, also when it is cancelled
/// itself.
/// @throws boost::system::system_error  of the first address whose failure says more than that its
///         network is not there
awaitable<asio::ip::tcp::socket> connect_to_first(
    std::vector<asio::ip::tcp::endpoint> addresses,
    std::chrono::milliseconds delay = std::chrono::milliseconds(250));

}  // namespace cohub::http
