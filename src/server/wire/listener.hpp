#pragma once

#include "server/wire/peer_places.hpp"
#include "server/wire/session.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>

namespace cohub::server {

/// Accepts connections on one address and serves each in a coroutine of its own. There are as many
/// at once as leave descriptors for other things, and half as many of one address. Beyond that, one
/// that carries no request gives way to a new one, else the one whose request comes,
/// or whose answer is taken, most slowly.
class listener : public std::enable_shared_from_this<listener> {
 public:
  /// Binds. @param tls  null: plain
  /// @throws error  an address in use or not of this machine
  listener(asio::any_io_executor executor, const std::string& address, std::uint16_t port,
           std::shared_ptr<asio::ssl::context> tls, session_context context);

  /// Starts accepting.
  void start();
  std::uint16_t port() const noexcept { return port_; }
  std::size_t peak_connections() const noexcept { return peak_; }

  /// Accepts no more and closes connections that carry no request.
  void begin_stop();
  /// Waits until all connections have ended, until `deadline`.
  awaitable<void> wait_until_idle(std::chrono::steady_clock::time_point deadline);
  /// Closes everything now.
  void close() noexcept;

 private:
  static awaitable<void> accept_all(std::shared_ptr<listener> self);
  /// Makes room for somebody who waits outside.
  static awaitable<void> make_room(std::shared_ptr<listener> self);
  /// Closes the connection that has carried no request for longest; false if all carry one.
  bool close_idlest() noexcept;
  /// Closes the connection on which a request's body comes, or an answer is taken, most slowly, if
  /// there is one.
  void close_slowest() noexcept;
  static awaitable<void> serve_one(std::shared_ptr<listener> self, asio::ip::tcp::socket socket);

  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer ended_;  // cancelled whenever a connection ends
  std::shared_ptr<asio::ssl::context> tls_;
  std::shared_ptr<session_context> context_;
  std::unordered_set<std::shared_ptr<session_status>> sessions_;
  std::uint16_t port_ = 0;
  std::size_t peak_ = 0;
  std::size_t accepted_ = 0;  // connections that are there, also those without a session yet
  std::size_t most_;          // that there may be
  peer_places places_;
};

}  // namespace cohub::server
