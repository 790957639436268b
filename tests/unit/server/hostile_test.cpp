#include "commit_text.hpp"
#include "raw_caller.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace cohub::test;
using method = cohub::http::method;
namespace asio = boost::asio;

namespace {

/// Sends the pieces one by one, so that the Hub, which shares the thread, sees each alone.
cohub::awaitable<std::string> dribble(std::uint16_t port, std::vector<std::string> pieces) {
  asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
  const asio::ip::tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(where, asio::use_awaitable);
  socket.set_option(asio::ip::tcp::no_delay(true));
  for (const auto& piece : pieces) {
    co_await asio::async_write(socket, asio::buffer(piece), asio::use_awaitable);
    for (int i = 0; i < 10; ++i) co_await asio::post(asio::use_awaitable);
  }
  auto received = co_await read_rest(socket);
  co_return received;
}

}  // namespace

TEST_CASE_FIXTURE(raw_caller, "what is not HTTP is answered 400 and closed") {
  CHECK(status(raw("garbage\r\n\r\n")) == "HTTP/1.1 400");
  CHECK(status(raw("GET /api/whoami-v2\r\n\r\n")) == "HTTP/1.1 400");
  CHECK(status(raw("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n")) == "HTTP/1.1 400");
  CHECK(status(raw("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: "
                   "chunked\r\n\r\n")) == "HTTP/1.1 400");
  CHECK(get("/api/whoami-v2").status == 200);
}

TEST_CASE_FIXTURE(raw_caller, "headers beyond 64 KiB are answered 431") {
  CHECK(status(raw("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n")) ==
        "HTTP/1.1 431");
  CHECK(status(raw("GET /" + std::string(70'000, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n")) ==
        "HTTP/1.1 431");
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 7'000; ++i) many += "X: 12345\r\n";
  CHECK(status(raw(many + "\r\n")) == "HTTP/1.1 431");
  CHECK(status(raw(many)) == "HTTP/1.1 431");
}

TEST_CASE_FIXTURE(raw_caller, "requests that stop midway leave nothing behind") {
  make_repo("m");
  const auto head = head_of("alice/m");
  const std::string lines =
      "{\"key\":\"header\",\"value\":{\"summary\":\"x\"}}\n" + file_line("a", "1");
  raw("POST /api/models/alice/m/commit/main HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token +
      "\r\nContent-Length: " + std::to_string(lines.size() + 10) + "\r\n\r\n" + lines);
  raw("GET /api/who");
  raw("");
  CHECK(head_of("alice/m") == head);
  CHECK(std::filesystem::is_empty(config.root / "tmp"));
}

TEST_CASE_FIXTURE(raw_caller, "a chunked commit is read like any other") {
  make_repo("m");
  const std::string lines =
      "{\"key\":\"header\",\"value\":{\"summary\":\"x\"}}\n" + file_line("a", "1");
  const std::string first = lines.substr(0, 20), rest = lines.substr(20);
  const auto hex = [](std::size_t n) {
    std::array<char, 20> text{};
    std::snprintf(text.data(), text.size(), "%zx", n);
    return std::string(text.data());
  };
  const auto answer =
      raw("POST /api/models/alice/m/commit/main HTTP/1.1\r\nHost: x\r\nConnection: "
          "close\r\nAuthorization: "
          "Bearer " +
          token + "\r\nTransfer-Encoding: chunked\r\n\r\n" + hex(20) + "\r\n" + first + "\r\n" +
          hex(rest.size()) + "\r\n" + rest + "\r\n0\r\n\r\n");
  CHECK(status(answer) == "HTTP/1.1 200");
  CHECK(get("/alice/m/resolve/main/a").body == "1");
}

TEST_CASE_FIXTURE(raw_caller, "an empty chunked body may end byte by byte") {
  const auto port = cohub::core::parse_url(hub->endpoint()).value().origin.port;
  std::vector<std::string> pieces{
      "POST /api/repos/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " +
      token + "\r\nTransfer-Encoding: chunked\r\n\r\n"};
  for (const char c : std::string("0\r\n\r\n")) pieces.emplace_back(1, c);
  CHECK(status(run(dribble(port, pieces))) == "HTTP/1.1 400");  // it is no JSON
  CHECK(get("/api/whoami-v2").status == 200);
}

TEST_CASE_FIXTURE(raw_caller, "who waits for 100-continue gets it, or the refusal instead") {
  const std::string body = "{\"name\":\"m\"}";
  const auto request = [&](const std::string& as) {
    return "POST /api/repos/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: "
           "100-continue\r\nAuthorization: Bearer " +
           as + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  };
  // The body comes along at once: then nobody waits.
  CHECK(status(raw(request(token) + body)) == "HTTP/1.1 200");
  const auto refused =
      raw("POST /api/models/alice/m/commit/main HTTP/1.1\r\nHost: x\r\nExpect: "
          "100-continue\r\nAuthorization: "
          "Bearer wrong\r\nContent-Length: 1000000000\r\n\r\n",
          false);
  CHECK(status(refused) == "HTTP/1.1 401");
  const auto granted =
      raw("POST /api/repos/create HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nAuthorization: "
          "Bearer " +
          token + "\r\nContent-Length: 5\r\n\r\n");
  CHECK(status(granted) == "HTTP/1.1 100");
}

TEST_CASE_FIXTURE(raw_caller, "bodies that are too large are refused before they are read") {
  const auto answer = raw("POST /api/repos/create HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                          token + "\r\nContent-Length: 99999999\r\n\r\nabc");
  CHECK(status(answer) == "HTTP/1.1 413");
}

TEST_CASE_FIXTURE(raw_caller, "no url leaves the store") {
  make_repo("m");
  for (const char* target :
       {"/alice/m/resolve/main/..%2F..%2F..%2F..%2Ftokens.json",
        "/alice/m/resolve/main/../../tokens.json", "/api/models/..%2F..%2Fx/y",
        "/api/models/alice/..", "/alice/m/resolve/..%2F..%2Fconfig/x",
        "/api/models/alice/m/revision/..%2F..%2Fconfig", "/alice/m.git/config", "/..%2fsecret"}) {
    CAPTURE(target);
    CHECK(get(target).status == 404);
  }
}

TEST_CASE_FIXTURE(raw_caller, "two requests in one packet get two answers in order") {
  const auto both =
      raw("GET /api/nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /api/whoami-v2 HTTP/1.1\r\nHost: "
          "x\r\nConnection: "
          "close\r\n\r\n");
  const auto first = both.find("HTTP/1.1 404");
  const auto second = both.find("HTTP/1.1 401");
  CHECK(first == 0);
  CHECK(second != both.npos);
}

TEST_CASE_FIXTURE(raw_caller, "a browser is told what pages of other origins may ask") {
  const auto answer =
      raw("OPTIONS /api/models/alice/m HTTP/1.1\r\nHost: x\r\nOrigin: http://page.example\r\n"
          "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: authorization\r\n"
          "Connection: close\r\n\r\n");
  CHECK(status(answer) == "HTTP/1.1 204");
  CHECK(answer.find("\r\nAccess-Control-Allow-Origin: *\r\n") != answer.npos);
  CHECK(answer.find("\r\nAccess-Control-Allow-Headers: authorization\r\n") != answer.npos);
  CHECK(answer.find("\r\nAccess-Control-Allow-Methods: GET, ") != answer.npos);
  const auto plain = raw("OPTIONS /api/whoami-v2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(status(plain) == "HTTP/1.1 405");
}
