#include "server/wire/listener.hpp"

#include "cohub/error.hpp"

#include "io/with_timeout.hpp"
#include "server/wire/request_reader.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace cohub::server {

namespace {

using tcp = asio::ip::tcp;

constexpr std::chrono::seconds handshake_limit{10};
/// After running out of descriptors, say, or of connections: accepting again at once would only
/// spin.
constexpr std::chrono::milliseconds accept_pause{100};

tcp::endpoint endpoint_of(const std::string& address, std::uint16_t port) {
  boost::system::error_code code;
  const auto ip = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, code);
  if (code)
    throw error(errc::invalid_argument,
                "listening on \"" + address + "\" (an IP address is expected)");
  return {ip, port};
}

/// A quarter of the descriptors that the process may have: there are two listeners, and each
/// connection may have a file open.
std::size_t most_connections() {
  struct rlimit limit {};
  constexpr std::size_t fewest = 64, most = 4096;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return fewest;
  return std::clamp(static_cast<std::size_t>(limit.rlim_cur / 4), fewest, most);
}

}  // namespace

listener::listener(asio::any_io_executor executor, const std::string& address, std::uint16_t port,
                   std::shared_ptr<asio::ssl::context> tls, session_context context)
    : acceptor_(executor),
      ended_(executor),
      tls_(std::move(tls)),
      context_(std::make_shared<session_context>(std::move(context))),
      most_(most_connections()),
      places_(most_ / 2) {
  const auto endpoint = endpoint_of(address, port);
  try {
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen(1024);
    port_ = acceptor_.local_endpoint().port();
  } catch (const boost::system::system_error& e) {
    throw error(e.code(), "listening on " + address + " port " + std::to_string(port));
  }
}

void listener::start() {
  asio::co_spawn(acceptor_.get_executor(), accept_all(shared_from_this()), asio::detached);
}

awaitable<void> listener::accept_all(std::shared_ptr<listener> self) {
  while (self->acceptor_.is_open()) {
    boost::system::error_code code;
    if (self->accepted_ >= self->most_) {
      co_await make_room(self);
      continue;
    }
    tcp::socket socket =
        co_await self->acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, code));
    if (!self->acceptor_.is_open()) break;
    if (code) {
      asio::steady_timer pause(self->acceptor_.get_executor(), accept_pause);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, code));
      continue;
    }
    ++self->accepted_;
    asio::co_spawn(self->acceptor_.get_executor(), serve_one(self, std::move(socket)),
                   asio::detached);
  }
}

awaitable<void> listener::make_room(std::shared_ptr<listener> self) {
  boost::system::error_code code;
  co_await self->acceptor_.async_wait(tcp::acceptor::wait_read,
                                      asio::redirect_error(asio::use_awaitable, code));
  if (!self->acceptor_.is_open() || self->accepted_ < self->most_) co_return;
  if (!self->close_idlest()) self->close_slowest();
  self->ended_.expires_after(accept_pause);
  co_await self->ended_.async_wait(asio::redirect_error(asio::use_awaitable, code));
}

awaitable<void> listener::serve_one(std::shared_ptr<listener> self, tcp::socket socket) {
  auto status = std::make_shared<session_status>();
  std::optional<asio::ip::address> peer;
  try {
    socket.set_option(tcp::no_delay(true));
    const auto address = socket.remote_endpoint().address();
    if (!self->places_.enter(address)) throw std::runtime_error("too many of one address");
    peer = address;
    status->peer = address.to_string();
    std::unique_ptr<http::stream> connection;
    if (self->tls_) {
      auto handshake = http::accept_tls_stream(std::move(socket), self->tls_);
      connection = co_await io::with_timeout(std::move(handshake), handshake_limit);
    } else {
      connection = http::make_plain_stream(std::move(socket));
    }
    if (self->context_->stopping) throw std::runtime_error("the Hub stops");
    status->connection = connection.get();
    self->sessions_.insert(status);
    self->context_->open = self->sessions_.size();
    self->peak_ = std::max(self->peak_, self->sessions_.size());
    co_await serve(self->context_, std::move(connection), status);
  } catch (const std::exception&) {
    // A handshake that failed, or a place that is not there, concerns nobody but that client.
  }
  if (peer) self->places_.leave(*peer);
  self->sessions_.erase(status);
  self->context_->open = self->sessions_.size();
  --self->accepted_;
  self->ended_.cancel();
}

bool listener::close_idlest() noexcept {
  session_status* idlest = nullptr;
  for (const auto& each : sessions_)
    if (each->connection != nullptr && !each->busy &&
        (idlest == nullptr || each->idle_since < idlest->idle_since))
      idlest = each.get();
  if (idlest == nullptr) return false;
  idlest->connection->close();
  return true;
}

void listener::close_slowest() noexcept {
  session_status* slowest = nullptr;
  double least = 0;
  for (const auto& each : sessions_) {
    if (each->connection == nullptr || each->requests == nullptr) continue;
    auto pace = each->answer.pace();
    if (!pace) pace = each->requests->pace();
    if (!pace || (slowest != nullptr && *pace >= least)) continue;
    slowest = each.get();
    least = *pace;
  }
  if (slowest != nullptr) slowest->connection->close();
}

void listener::begin_stop() {
  context_->stopping = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  ended_.cancel();
  for (const auto& session : sessions_)
    if (session->connection != nullptr && !session->busy) session->connection->close();
}

awaitable<void> listener::wait_until_idle(std::chrono::steady_clock::time_point deadline) {
  auto self = shared_from_this();
  while (!self->sessions_.empty() && std::chrono::steady_clock::now() < deadline) {
    self->ended_.expires_at(deadline);
    boost::system::error_code code;
    co_await self->ended_.async_wait(asio::redirect_error(asio::use_awaitable, code));
  }
}

void listener::close() noexcept {
  context_->stopping = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  ended_.cancel();
  for (const auto& session : sessions_)
    if (session->connection != nullptr) session->connection->close();
}

}  // namespace cohub::server
