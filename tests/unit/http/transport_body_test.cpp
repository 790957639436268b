#include "cohub/error.hpp"

#include "http/transport.hpp"
#include "transport_fixture.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace cohub;
using test::failure_of;
using test::fetch;
using test::get;
using test::quick;
using test::scripted_reply;
using test::scripted_server;
using test::seen_request;

TEST_CASE("the end of a chunked body may come byte by byte") {
  asio::io_context context;
  std::string body;
  scripted_server server(context, [&](const seen_request&) {
    scripted_reply reply;
    reply.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
    reply.pace = 1ms;
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  const std::vector<std::pair<std::string, std::string>> all{{"0\r\n\r\n", ""},
                                                             {"00\r\n\r\n", ""},
                                                             {"000\r\n\r\n", ""},
                                                             {"0\r\nX-Sum: 1\r\n\r\n", ""},
                                                             {"5\r\nhello\r\n0\r\n\r\n", "hello"},
                                                             {"3\r\n0\r\n\r\n0\r\n\r\n", "0\r\n"}};
  for (const auto& [sent, content] : all) {
    CAPTURE(sent);
    body = sent;
    CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).body == content);
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("a chunked body that is cut inside its end is an error") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request&) {
    scripted_reply reply;
    reply.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    reply.after = scripted_reply::then::close;
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  CHECK(failure_of(context, transport, get(server.origin() + "/")).code() == errc::truncated_body);
}

TEST_CASE("answers without a body leave the connection to the next request") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request& request) {
    if (request.line.starts_with("HEAD /chunked ")) {
      scripted_reply reply;
      reply.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
      return reply;
    }
    scripted_reply reply;
    if (request.line.starts_with("HEAD "))
      reply.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    else if (request.line.find("/204 ") != std::string::npos)
      reply.bytes = "HTTP/1.1 204 No Content\r\n\r\n";
    else if (request.line.find("/304 ") != std::string::npos)
      reply.bytes = "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n";
    else
      reply = scripted_reply::text(200, "hello");
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  for (const char* path : {"/", "/chunked"}) {
    auto what = get(server.origin() + path);
    what.verb = http::method::head;
    CHECK(test::run(context, fetch(transport, what)).body.empty());
  }
  CHECK(test::run(context, fetch(transport, get(server.origin() + "/204"))).status == 204);
  CHECK(test::run(context, fetch(transport, get(server.origin() + "/304"))).status == 304);
  CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).body == "hello");
  CHECK(server.connections() == 1);
}

TEST_CASE("a body that is dropped half-read takes its connection with it") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request&) {
    return scripted_reply::text(200, std::string(100'000, 'x'));
  });
  http::transport transport(context.get_executor(), quick());
  auto read_a_part = [&]() -> awaitable<std::size_t> {
    auto answer = co_await transport.send(get(server.origin() + "/"));
    std::vector<std::byte> piece(100);
    const auto count = co_await answer.read_some(piece);
    co_return count;
  };
  CHECK(test::run(context, read_a_part()) == 100);
  CHECK(transport.open_connections() == 0);
  CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).body.size() == 100'000);
  CHECK(server.connections() == 2);
}

TEST_CASE("bytes beyond the end of a body are nobody's, and the connection is not used again") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request&) {
    auto reply = scripted_reply::text(200, "hello");
    reply.bytes += "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  for (int i = 0; i < 2; ++i)
    CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).body == "hello");
  CHECK(server.connections() == 2);
}

TEST_CASE("the end of a body that nobody wants is no error when it is missing") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request&) {
    scripted_reply reply;
    reply.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";
    reply.after = scripted_reply::then::close;
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  auto put = [&]() -> awaitable<int> {
    auto what = get(server.origin() + "/");
    what.verb = http::method::put;
    what.body = http::bytes_body("content");
    auto answer = co_await transport.send(std::move(what));
    co_await answer.finish();
    co_return answer.status();
  };
  CHECK(test::run(context, put()) == 200);
  CHECK(transport.open_connections() == 0);
}
