#pragma once

#include "hub_caller.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <string>
#include <utility>

namespace cohub::test {

/// Reads until the Hub closes.
inline awaitable<std::string> read_rest(boost::asio::ip::tcp::socket& socket) {
  std::string received;
  std::array<char, 4096> buffer{};
  boost::system::error_code code;
  for (;;) {
    const std::size_t count = co_await socket.async_read_some(
        boost::asio::buffer(buffer), boost::asio::redirect_error(boost::asio::use_awaitable, code));
    if (code) break;
    received.append(buffer.data(), count);
  }
  co_return received;
}

/// Sends bytes as they are, then ends the sending side if asked, and reads until the Hub closes.
inline awaitable<std::string> talk(std::uint16_t port, std::string bytes, bool end) {
  boost::asio::ip::tcp::socket socket(co_await boost::asio::this_coro::executor);
  const boost::asio::ip::tcp::endpoint where(boost::asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(where, boost::asio::use_awaitable);
  boost::system::error_code code;
  co_await boost::asio::async_write(socket, boost::asio::buffer(bytes),
                                    boost::asio::redirect_error(boost::asio::use_awaitable, code));
  if (end) socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send, code);
  auto received = co_await read_rest(socket);
  co_return received;
}

/// Says to the embedded Hub what no client of ours would.
struct raw_caller : hub_caller {
  std::string raw(std::string bytes, bool end = true) {
    const auto port = core::parse_url(hub->endpoint()).value().origin.port;
    auto received = run(talk(port, std::move(bytes), end));
    return received;
  }
  static std::string status(const std::string& answer) { return answer.substr(0, 12); }
};

}  // namespace cohub::test
