#include "cohub/error.hpp"

#include "http/transport.hpp"
#include "transport_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using namespace cohub;
using test::failure_of;
using test::fetch;
using test::get;
using test::quick;
using test::scripted_reply;
using test::scripted_server;
using test::seen_request;

TEST_CASE("a body that ends early is an error, not a short result") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request& request) {
    scripted_reply reply;
    reply.bytes = request.line.find("chunked") != std::string::npos
                      ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort"
                      : "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";
    reply.after = scripted_reply::then::close;
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  for (const char* path : {"/counted", "/chunked"}) {
    CAPTURE(path);
    const auto failure = failure_of(context, transport, get(server.origin() + path));
    CHECK(failure.code() == errc::truncated_body);
    CHECK(std::string(failure.what()).find(path) != std::string::npos);
  }
}

TEST_CASE("nonsense instead of HTTP, and absurd headers, are invalid answers") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request& request) {
    scripted_reply reply;
    reply.after = scripted_reply::then::close;
    if (request.line.find("/huge") != std::string::npos)
      reply.bytes = "HTTP/1.1 200 OK\r\nX-Filler: " + std::string(100'000, 'x') + "\r\n\r\n";
    else if (request.line.find("/many") != std::string::npos)
      for (reply.bytes = "HTTP/1.1 200 OK\r\n"; reply.bytes.size() < 70'000;)
        reply.bytes += "X: y\r\n";
    else if (request.line.find("/chunk") != std::string::npos)
      reply.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                    std::string(200'000, 'x') + "\r\na\r\n0\r\n\r\n";
    else if (request.line.find("/length") != std::string::npos)
      reply.bytes = "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n";
    else
      reply.bytes = "SSH-2.0-OpenSSH_9.2\r\n\r\n";
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  for (const char* path : {"/ssh", "/huge", "/many", "/chunk", "/length"}) {
    CAPTURE(path);
    const auto failure = failure_of(context, transport, get(server.origin() + path));
    CHECK(failure.code() == errc::invalid_response);
  }
}

TEST_CASE("a body whose length or coding is in doubt is refused") {
  asio::io_context context;
  std::string fields;
  scripted_server server(context, [&](const seen_request&) {
    scripted_reply reply;
    reply.bytes = "HTTP/1.1 200 OK\r\n" + fields + "\r\n5\r\nhello\r\n0\r\n\r\n";
    reply.after = scripted_reply::then::close;
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  for (const std::string doubtful :
       {"Content-Length: 15\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 15\r\n",
        "Content-Length: 15\r\nContent-Length: 5\r\n", "Content-Length: +15\r\n",
        "Content-Length : 15\r\n", "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip\r\nContent-Length: 15\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: gzip\r\n"}) {
    CAPTURE(doubtful);
    fields = doubtful;
    CHECK(failure_of(context, transport, get(server.origin() + "/")).code() ==
          errc::invalid_response);
    CHECK(transport.open_connections() == 0);
  }
  for (const std::string clear : {"Transfer-Encoding: Chunked\r\n", "Content-Length: 15\r\n",
                                  "Transfer-Encoding: identity\r\nContent-Length: 15\r\n"}) {
    CAPTURE(clear);
    fields = clear;
    CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).body.find("hello") !=
          std::string::npos);
  }
}

TEST_CASE("silence is noticed before the head and inside the body") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request& request) {
    scripted_reply reply;
    if (request.line.find("/body") != std::string::npos)
      reply.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";
    reply.after = scripted_reply::then::stall;
    return reply;
  });
  auto config = quick();
  config.retries.attempts = 1;
  config.timeouts.first_byte = 30ms;
  config.timeouts.stall = 30ms;
  http::transport transport(context.get_executor(), config);
  for (const char* path : {"/head", "/body"}) {
    CAPTURE(path);
    const auto failure = failure_of(context, transport, get(server.origin() + path));
    CHECK(failure.code() == errc::timed_out);
  }
  CHECK(transport.open_connections() == 0);
}

TEST_CASE("a head that only trickles is given up, and so are informational answers without end") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request& request) {
    scripted_reply reply;
    if (request.line.find("/trickle") != std::string::npos) {
      reply.bytes = "HTTP/1.1 200 OK\r\nX-Filler: " + std::string(60'000, 'x');
      reply.pace = 2ms;
      return reply;
    }
    if (request.line.find("/switch") != std::string::npos) {
      reply.bytes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n";
      reply.bytes += "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno";
      return reply;
    }
    const std::size_t count = request.line.find("/endless") != std::string::npos ? 9 : 8;
    for (std::size_t i = 0; i < count; ++i) reply.bytes += "HTTP/1.1 103 Early Hints\r\n\r\n";
    reply.bytes += "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    return reply;
  });
  auto config = quick();
  config.retries.attempts = 1;
  http::transport patient(context.get_executor(), config);
  CHECK(test::run(context, fetch(patient, get(server.origin() + "/some"))).body == "ok");
  CHECK(failure_of(context, patient, get(server.origin() + "/endless")).code() ==
        errc::invalid_response);
  // What follows it is in a protocol that nobody asked for.
  CHECK(failure_of(context, patient, get(server.origin() + "/switch")).code() ==
        errc::invalid_response);
  config.timeouts.first_byte = 50ms;
  http::transport transport(context.get_executor(), config);
  const auto failure = failure_of(context, transport, get(server.origin() + "/trickle"));
  CHECK(failure.code() == errc::timed_out);
  CHECK(transport.open_connections() == 0);
}
