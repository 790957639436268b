#include "cohub/error.hpp"

#include "http/transport.hpp"
#include "transport_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using namespace cohub;
using test::failure_of;
using test::fetch;
using test::get;
using test::quick;

namespace {

constexpr std::size_t large = 32 << 20;  // more than sockets hold

/// A server with a single connection and a mind of its own about what it reads.
struct lone_server {
  explicit lone_server(asio::io_context& context)
      : acceptor(context, {asio::ip::make_address("127.0.0.1"), 0}), socket(context) {}

  http::request upload() const {
    auto what = get("http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/");
    what.verb = http::method::post;
    what.idempotent = false;
    what.body = http::bytes_body(std::string(large, 'x'));
    return what;
  }

  /// Takes the connection and waits until the client has sent all that the sockets hold: it shares
  /// the thread.
  awaitable<void> meet() {
    socket = co_await acceptor.async_accept(asio::use_awaitable);
    co_await socket.async_wait(asio::ip::tcp::socket::wait_read, asio::use_awaitable);
  }
  awaitable<void> say(std::string text) {
    co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
  }
  /// Reads so many bytes, or until the client closes.
  awaitable<void> hear(std::size_t bytes = SIZE_MAX) {
    std::string dropped(1 << 20, '\0');
    boost::system::error_code failure;
    while (!failure && heard < bytes)
      heard += co_await socket.async_receive(asio::buffer(dropped),
                                             asio::redirect_error(asio::use_awaitable, failure));
    closed = failure == asio::error::eof;
  }

  asio::ip::tcp::acceptor acceptor;
  asio::ip::tcp::socket socket;
  std::size_t heard = 0;
  bool closed = false;
};

const std::string refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig";

}  // namespace

TEST_CASE("an answer that comes while the body is still being sent is heard") {
  asio::io_context context;
  lone_server server(context);
  auto refuse = [&]() -> awaitable<void> {
    co_await server.meet();
    co_await server.say(refusal);
    co_await server.hear();
  };
  asio::co_spawn(context, refuse(), asio::detached);
  http::transport transport(context.get_executor(), quick());
  const auto result = test::run(context, fetch(transport, server.upload()));
  CHECK(result.status == 413);
  CHECK(result.body == "big");
  REQUIRE(transport.open_connections() == 0);  // half a request is left on it
  while (!server.closed) context.run_one();
  CHECK(server.heard < large);
}

TEST_CASE("an answer is heard though its sender reads no more and does not close") {
  asio::io_context context;
  lone_server server(context);
  auto refuse = [&]() -> awaitable<void> {
    co_await server.meet();
    co_await server.say(refusal);
  };
  asio::co_spawn(context, refuse(), asio::detached);
  auto config = quick();
  config.timeouts.stall = 100ms;
  http::transport transport(context.get_executor(), config);
  CHECK(test::run(context, fetch(transport, server.upload())).status == 413);
  CHECK(transport.open_connections() == 0);
}

TEST_CASE("a success that comes before the body was sent is none") {
  asio::io_context context;
  lone_server server(context);
  auto hurry = [&]() -> awaitable<void> {
    co_await server.meet();
    co_await server.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    co_await server.hear();
  };
  asio::co_spawn(context, hurry(), asio::detached);
  http::transport transport(context.get_executor(), quick());
  CHECK(failure_of(context, transport, server.upload()).code() == errc::truncated_body);
  CHECK(transport.open_connections() == 0);
}

TEST_CASE("a server that reads no more and says nothing is given up") {
  asio::io_context context;
  lone_server server(context);
  asio::co_spawn(context, server.meet(), asio::detached);
  auto config = quick();
  config.timeouts.stall = 30ms;
  http::transport transport(context.get_executor(), config);
  CHECK(failure_of(context, transport, server.upload()).code() == errc::timed_out);
}

TEST_CASE("informational answers do not end the sending of a body") {
  asio::io_context context;
  lone_server server(context);
  auto encourage = [&]() -> awaitable<void> {
    co_await server.meet();
    co_await server.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hi");
    co_await server.hear(large);
    co_await server.say("nts\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  };
  asio::co_spawn(context, encourage(), asio::detached);
  http::transport transport(context.get_executor(), quick());
  const auto result = test::run(context, fetch(transport, server.upload()));
  CHECK(result.status == 200);
  CHECK(result.body == "ok");
  CHECK(server.heard >= large);
  CHECK(transport.open_connections() == 1);
}
