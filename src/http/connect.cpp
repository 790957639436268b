#include "http/connect.hpp"

#include "cohub/error.hpp"

#include "http/happy_eyeballs.hpp"
#include "http/proxy_tunnel.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cohub::http {

namespace {

using tcp = asio::ip::tcp;

bool is_cancellation(boost::system::error_code code) {
  return code == asio::error::operation_aborted;
}

[[noreturn]] void fail(boost::system::error_code code, const std::string& doing) {
  if (is_cancellation(code)) throw boost::system::system_error(code);
  throw error(code, doing);
}

awaitable<std::vector<tcp::endpoint>> addresses_of(std::shared_ptr<address_book> hosts,
                                                   core::origin where) {
  std::vector<tcp::endpoint> found;
  boost::system::error_code failure;
  try {
    auto looking = address_book::find(std::move(hosts), where.host, where.port);
    found = co_await std::move(looking);
  } catch (const boost::system::system_error& e) {
    failure = e.code();
  }
  if (failure) fail(failure, "looking up the host " + where.host);
  co_return found;
}

/// The kernel takes megabytes that a slow way lets out in minutes: without a bound, silence would
/// be counted while all of them are on their way, and an answer be awaited before the request is
/// out.
void bound_unsent(tcp::socket& socket) {
  constexpr int most = 128 * 1024;
  // A kernel without the option sends as before.
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof(most));
}

/// A socket that is connected to the first address of `where` that answers.
awaitable<tcp::socket> connect_socket(std::shared_ptr<address_book> hosts, core::origin where) {
  const auto addresses = co_await addresses_of(hosts, where);
  std::optional<tcp::socket> socket;
  boost::system::error_code failure;
  try {
    socket = co_await connect_to_first(interleave(addresses));
  } catch (const boost::system::system_error& e) {
    failure = e.code();
  }
  if (failure && !is_cancellation(failure)) hosts->forget(where.host, where.port);
  if (failure) fail(failure, "connecting to " + where.authority());
  socket->set_option(tcp::no_delay(true), failure);
  bound_unsent(*socket);
  co_return std::move(*socket);
}

/// The same by way of a proxy: the proxy's failures bear its name.
awaitable<tcp::socket> connect_socket(std::shared_ptr<address_book> hosts, core::origin where,
                                      proxy through) {
  std::optional<std::string> unreachable;
  std::optional<tcp::socket> socket;
  try {
    socket = co_await connect_socket(std::move(hosts), through.origin);
  } catch (const boost::system::system_error& e) {
    if (is_cancellation(e.code())) throw;
    unreachable = e.code().message();
  }
  if (unreachable) fail_proxy(through, where, *unreachable);
  if (where.secure()) co_await open_tunnel(*socket, std::move(through), where);
  co_return std::move(*socket);
}

}  // namespace

awaitable<std::unique_ptr<stream>> connect(std::shared_ptr<address_book> hosts, core::origin where,
                                           std::optional<proxy> through,
                                           std::shared_ptr<asio::ssl::context> context,
                                           std::shared_ptr<tls_session_shelf> sessions) {
  std::optional<tcp::socket> socket;
  if (through) {
    socket = co_await connect_socket(hosts, where, *through);
  } else {
    socket = co_await connect_socket(hosts, where);
  }
  std::unique_ptr<stream> result;
  if (!where.secure()) {
    result = make_plain_stream(std::move(*socket));
    co_return result;
  }
  try {
    result = co_await make_tls_stream(std::move(*socket), std::move(context), where.host,
                                      std::move(sessions));
  } catch (const boost::system::system_error& e) {
    if (dynamic_cast<const error*>(&e) != nullptr || is_cancellation(e.code())) throw;
    throw error(e.code(), "TLS handshake with " + where.authority());
  }
  co_return result;
}

}  // namespace cohub::http
