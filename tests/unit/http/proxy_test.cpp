#include "cohub/error.hpp"

#include "core/base64.hpp"
#include "http/proxy_tunnel.hpp"
#include "http/transport.hpp"
#include "io/file.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"
#include "support/test_certificate.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace cohub;
using test::scripted_reply;
using test::scripted_server;
using test::seen_request;
using test::test_certificate;

namespace {

const std::string credential = "Basic " + core::base64_encode("joe:s3cret");

http::transport_config by_way_of(std::uint16_t port, const std::string& user = "joe:s3cret@") {
  http::transport_config config;
  config.retries.base_delay = 1ms;
  config.retries.max_delay = 2ms;
  config.proxies.all = "http://" + user + "127.0.0.1:" + std::to_string(port);
  return config;
}

awaitable<std::string> fetch(http::transport& transport, std::string url) {
  http::request what;
  what.url = core::parse_url(url).value();
  what.headers.set("Authorization", "Bearer hf_token");
  auto response = co_await transport.send(std::move(what));
  auto body = co_await response.read_all();
  co_return std::to_string(response.status()) + ' ' + body;
}

error failure_of(asio::io_context& context, http::transport& transport, const std::string& url) {
  try {
    test::run(context, fetch(transport, url));
  } catch (const error& e) {
    return e;
  }
  throw std::runtime_error("the request should have failed");
}

bool is_connect(const seen_request& request) { return request.line.starts_with("CONNECT "); }

}  // namespace

TEST_CASE("a plain request goes to the proxy in absolute form, with the credential") {
  asio::io_context context;
  scripted_server proxy(context,
                        [](const seen_request&) { return scripted_reply::text(200, "hi"); });
  http::transport transport(context.get_executor(), by_way_of(proxy.port()));
  for (int i = 0; i < 2; ++i)
    CHECK(test::run(context, fetch(transport, "http://hub.example:8080/a?b=c")) == "200 hi");
  CHECK(proxy.connections() == 1);
  REQUIRE(proxy.seen().size() == 2);
  const auto& seen = proxy.seen().back();
  CHECK(seen.line == "GET http://hub.example:8080/a?b=c HTTP/1.1");
  CHECK(seen.header("host") == "hub.example:8080");
  CHECK(seen.header("proxy-authorization") == credential);
  CHECK(seen.header("authorization") == "Bearer hf_token");
}

TEST_CASE("a target that NO_PROXY names is reached directly, and learns nothing of the proxy") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(200, "direct"); });
  scripted_server proxy(context,
                        [](const seen_request&) { return scripted_reply::text(200, "proxied"); });
  auto config = by_way_of(proxy.port());
  config.proxies.bypass = "127.0.0.1";
  http::transport transport(context.get_executor(), config);
  CHECK(test::run(context, fetch(transport, server.origin() + "/a")) == "200 direct");
  CHECK(server.seen().at(0).line == "GET /a HTTP/1.1");
  CHECK(server.seen().at(0).header("proxy-authorization").empty());
  CHECK(proxy.connections() == 0);
}

TEST_CASE("a redirect from a proxied origin to an exempt one takes no credential along") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(200, "direct"); });
  scripted_server proxy(context, [&](const seen_request&) {
    return scripted_reply::text(302, "", "Location: " + server.origin() + "/b\r\n");
  });
  auto config = by_way_of(proxy.port());
  config.proxies.bypass = "127.0.0.1";
  http::transport transport(context.get_executor(), config);
  CHECK(test::run(context, fetch(transport, "http://hub.example/a")) == "200 direct");
  CHECK(server.seen().at(0).header("proxy-authorization").empty());
  CHECK(server.seen().at(0).header("authorization").empty());
}

TEST_CASE("https goes through a tunnel whose inside the proxy's credential never enters") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "hub.example");
  asio::io_context context;
  scripted_server proxy(context, [&](const seen_request& request) {
    if (!is_connect(request)) return scripted_reply::text(200, "inside");
    scripted_reply reply;
    reply.bytes = "HTTP/1.1 200 Connection established\r\nVia: scripted\r\n\r\n";
    reply.tunnel = paper.server_context();
    return reply;
  });
  auto config = by_way_of(proxy.port());
  config.ca_file = paper.certificate;
  http::transport transport(context.get_executor(), config);
  for (int i = 0; i < 2; ++i)
    CHECK(test::run(context, fetch(transport, "https://hub.example/a")) == "200 inside");
  CHECK(proxy.connections() == 1);  // the tunnel is used again
  REQUIRE(proxy.seen().size() == 3);
  const auto& connect = proxy.seen()[0];
  CHECK(connect.line == "CONNECT hub.example:443 HTTP/1.1");
  CHECK(connect.header("host") == "hub.example:443");
  CHECK(connect.header("proxy-authorization") == credential);
  CHECK(connect.header("authorization").empty());
  const auto& inside = proxy.seen()[1];
  CHECK(inside.line == "GET /a HTTP/1.1");
  CHECK(inside.header("authorization") == "Bearer hf_token");
  CHECK(inside.header("proxy-authorization").empty());
}

TEST_CASE("a tunnel that ends at somebody else is noticed") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "other.example");
  asio::io_context context;
  scripted_server proxy(context, [&](const seen_request&) {
    scripted_reply reply;
    reply.bytes = "HTTP/1.0 200 OK\r\n\r\n";
    reply.tunnel = paper.server_context();
    return reply;
  });
  auto config = by_way_of(proxy.port());
  config.ca_file = paper.certificate;
  http::transport transport(context.get_executor(), config);
  CHECK(failure_of(context, transport, "https://hub.example/").code() ==
        errc::certificate_rejected);
}

TEST_CASE("a proxy's refusal is an error with its status and name, never with the password") {
  asio::io_context context;
  int status = 407;
  scripted_server proxy(context, [&](const seen_request&) {
    return scripted_reply::text(status, "go away", "Proxy-Authenticate: Basic realm=\"x\"\r\n");
  });
  http::transport transport(context.get_executor(), by_way_of(proxy.port()));
  struct row {
    const char* url;
    int status;
    std::size_t tries;
  };
  for (const auto& [url, answer, tries] : std::vector<row>{{"http://hub.example/", 407, 1},
                                                           {"https://hub.example/", 407, 1},
                                                           {"https://hub.example/", 403, 1},
                                                           {"https://hub.example/", 302, 1},
                                                           {"https://hub.example/", 502, 3}}) {
    CAPTURE(url);
    CAPTURE(answer);
    status = answer;
    const std::size_t before = proxy.seen().size();
    const auto failure = failure_of(context, transport, url);
    CHECK(failure.code() == errc::proxy_failure);
    CHECK(failure.http().status == answer);
    const std::string text = failure.what();
    CHECK(text.find("127.0.0.1:" + std::to_string(proxy.port())) != text.npos);
    CHECK(text.find("hub.example") != text.npos);
    CHECK(text.find("s3cret") == text.npos);
    CHECK(text.find(credential.substr(6)) == text.npos);
    CHECK(proxy.seen().size() - before == tries);
  }
  CHECK(transport.open_connections() == 0);
}

TEST_CASE("a proxy that nobody reaches is an error that names it") {
  asio::io_context context;
  asio::ip::tcp::acceptor reserved(context, {asio::ip::make_address("127.0.0.1"), 0});
  const auto port = reserved.local_endpoint().port();
  reserved.close();
  http::transport transport(context.get_executor(), by_way_of(port));
  for (const std::string url : {"http://hub.example/", "https://hub.example/"}) {
    const auto failure = failure_of(context, transport, url);
    CHECK(failure.code() == errc::proxy_failure);
    CHECK(failure.http().status == 0);
    CHECK(std::string(failure.what()).find("127.0.0.1:" + std::to_string(port)) !=
          std::string::npos);
    CHECK(std::string(failure.what()).find("s3cret") == std::string::npos);
  }
}

TEST_CASE("a proxy with an invalid url is an error that does not show it") {
  asio::io_context context;
  http::transport_config config;
  config.proxies.https = "socks5://joe:s3cret@proxy.example:1080";
  http::transport transport(context.get_executor(), config);
  const auto failure = failure_of(context, transport, "https://hub.example/");
  CHECK(failure.code() == errc::invalid_url);  // which no other try mends
  CHECK(std::string(failure.what()).find("HTTPS_PROXY") != std::string::npos);
  CHECK(std::string(failure.what()).find("s3cret") == std::string::npos);
}

TEST_CASE("nonsense instead of an answer to CONNECT is bounded and refused") {
  struct row {
    std::string bytes;
    scripted_reply::then after;
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const auto& [bytes, after] :
       std::vector<row>{{"SSH-2.0-OpenSSH_9.2\r\n\r\n", scripted_reply::then::keep},
                        {"HTTP/1.1 2\r\n\r\n", scripted_reply::then::keep},
                        {ok, scripted_reply::then::close},
                        {"", scripted_reply::then::close},
                        {"", scripted_reply::then::reset},
                        {ok + "X: " + std::string(200'000, 'x'), scripted_reply::then::stall},
                        {ok + "\r\nunasked for", scripted_reply::then::keep}}) {
    CAPTURE(bytes.substr(0, 60));
    asio::io_context context;
    scripted_server proxy(context, [&](const seen_request&) {
      scripted_reply reply;
      reply.bytes = bytes;
      reply.after = after;
      return reply;
    });
    auto config = by_way_of(proxy.port());
    config.retries.attempts = 1;
    http::transport transport(context.get_executor(), config);
    CHECK(failure_of(context, transport, "https://hub.example/").code() == errc::proxy_failure);
  }
}

TEST_CASE("a proxy that says nothing is waited for no longer than connecting may take") {
  asio::io_context context;
  scripted_server proxy(context, [](const seen_request&) {
    scripted_reply reply;
    reply.after = scripted_reply::then::stall;
    return reply;
  });
  auto config = by_way_of(proxy.port());
  config.retries.attempts = 1;
  config.timeouts.connect = 50ms;
  http::transport transport(context.get_executor(), config);
  const auto failure = failure_of(context, transport, "https://hub.example/");
  CHECK(failure.code() == errc::timed_out);
  CHECK(std::string(failure.what()).find("proxy 127.0.0.1:") != std::string::npos);
  CHECK(transport.open_connections() == 0);
}

TEST_CASE("the status of an answer to CONNECT") {
  CHECK(http::connect_status("HTTP/1.1 200 Connection established\r\n\r\n") == 200);
  CHECK(http::connect_status("HTTP/1.0 407\r\n\r\n") == 407);
  for (const char* const text : {"", "HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/2 200 OK",
                                 "HTTP/1.1 099 x", "HTTP/1.1 +20 x"})
    CHECK(!http::connect_status(text));
}
