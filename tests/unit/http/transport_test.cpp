#include "http/transport.hpp"

#include "cohub/error.hpp"

#include "io/for_each_bounded.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace cohub;
using test::scripted_reply;
using test::scripted_server;
using test::seen_request;

namespace {

struct answer {
  int status = 0;
  std::string body;
  std::string url;
};

http::transport_config quick() {
  http::transport_config config;
  config.retries.base_delay = 1ms;
  config.retries.max_delay = 2ms;
  config.user_agent = "cohub-test/1";
  return config;
}

http::request get(const std::string& url) {
  http::request what;
  what.url = core::parse_url(url).value();
  return what;
}

awaitable<answer> fetch(http::transport& transport, http::request what) {
  auto response = co_await transport.send(std::move(what));
  answer result;
  result.status = response.status();
  result.url = response.head().url.text();
  result.body = co_await response.read_all();
  co_return result;
}

/// Runs `fetch` and yields the error it ends with.
error failure_of(asio::io_context& context, http::transport& transport, http::request what) {
  try {
    test::run(context, fetch(transport, std::move(what)));
  } catch (const error& e) {
    return e;
  }
  throw std::runtime_error("the request should have failed");
}

}  // namespace

TEST_CASE("a request carries what it must, and the connection is used again") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(200, "hello"); });
  http::transport transport(context.get_executor(), quick());
  for (int i = 0; i < 3; ++i) {
    const auto result = test::run(context, fetch(transport, get(server.origin() + "/a%20b?c=d")));
    CHECK(result.status == 200);
    CHECK(result.body == "hello");
  }
  CHECK(server.connections() == 1);
  CHECK(transport.open_connections() == 1);
  REQUIRE(server.seen().size() == 3);
  const auto& seen = server.seen().front();
  CHECK(seen.line == "GET /a%20b?c=d HTTP/1.1");
  CHECK(seen.header("host") == "127.0.0.1:" + std::to_string(server.port()));
  CHECK(seen.header("user-agent") == "cohub-test/1");
  CHECK(seen.header("accept-encoding") == "identity");
  CHECK(seen.header("content-length").empty());
}

TEST_CASE("a body is sent with its exact length") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(200, ""); });
  http::transport transport(context.get_executor(), quick());
  auto what = get(server.origin() + "/");
  what.verb = http::method::put;
  const std::string content(1'000'003, 'x');
  what.body = http::bytes_body(content);
  test::run(context, fetch(transport, what));
  CHECK(server.seen().at(0).header("content-length") == "1000003");
  CHECK(server.seen().at(0).body == content);
}

TEST_CASE("bodies of every framing arrive whole") {
  asio::io_context context;
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
  const std::string until_close = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world";
  const std::string informed =
      "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
      "11\r\n\r\nhello world";
  scripted_server server(context, [&](const seen_request& request) {
    scripted_reply reply;
    if (request.line.find("/chunked") != std::string::npos) reply.bytes = chunked;
    if (request.line.find("/close") != std::string::npos) {
      reply.bytes = until_close;
      reply.after = scripted_reply::then::close;
    }
    if (request.line.find("/informed") != std::string::npos) reply.bytes = informed;
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  for (const char* path : {"/chunked", "/close", "/informed", "/chunked"}) {
    CAPTURE(path);
    const auto result = test::run(context, fetch(transport, get(server.origin() + path)));
    CHECK(result.status == 200);
    CHECK(result.body == "hello world");
  }
  CHECK(server.connections() == 2);  // only the one that was closed needed another
}

TEST_CASE("a redirect to another origin loses what is for the first one alone") {
  asio::io_context context;
  scripted_server elsewhere(context,
                            [](const seen_request&) { return scripted_reply::text(200, "there"); });
  scripted_server server(context, [&](const seen_request& request) {
    if (request.line.starts_with("GET /renamed"))
      return scripted_reply::text(307, "", "Location: /new?x=1\r\n");
    if (request.line.starts_with("GET /new")) return scripted_reply::text(200, "here");
    return scripted_reply::text(302, "", "Location: " + elsewhere.origin() + "/object\r\n");
  });
  http::transport transport(context.get_executor(), quick());
  auto what = get(server.origin() + "/large");
  what.headers.set("Authorization", "Bearer hf_secret");
  what.headers.set("X-Any", "1");
  what.home_headers.set("X-Api-Key", "secret");
  CHECK(test::run(context, fetch(transport, what)).body == "there");
  CHECK(elsewhere.seen().at(0).header("authorization").empty());
  CHECK(elsewhere.seen().at(0).header("x-api-key").empty());
  CHECK(elsewhere.seen().at(0).header("x-any") == "1");
  what.url = core::parse_url(server.origin() + "/renamed").value();
  const auto result = test::run(context, fetch(transport, what));
  CHECK(result.body == "here");
  CHECK(result.url == server.origin() + "/new?x=1");
  CHECK(server.seen().back().header("authorization") == "Bearer hf_secret");
  CHECK(server.seen().back().header("x-api-key") == "secret");

  SUBCASE("and is handed over where only the origin's own are followed") {
    what.url = core::parse_url(server.origin() + "/large").value();
    what.redirects = http::redirects::same_origin;
    CHECK(test::run(context, fetch(transport, what)).status == 302);
  }
}

TEST_CASE("a redirect loop ends") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request&) {
    return scripted_reply::text(302, "", "Location: /again\r\n");
  });
  http::transport transport(context.get_executor(), quick());
  const auto failure = failure_of(context, transport, get(server.origin() + "/"));
  CHECK(failure.code() == errc::too_many_redirects);
  CHECK(server.seen().size() == 11);
}

TEST_CASE("a redirect to another scheme is refused") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request&) {
    return scripted_reply::text(302, "", "Location: file:///etc/passwd\r\n");
  });
  http::transport transport(context.get_executor(), quick());
  const auto failure = failure_of(context, transport, get(server.origin() + "/"));
  CHECK(failure.code() == errc::invalid_response);
}

TEST_CASE("transient failures are tried again, permanent ones are not") {
  asio::io_context context;
  int calls = 0;
  std::string first = "503";
  scripted_server server(context, [&](const seen_request&) {
    ++calls;
    if (calls > 2) return scripted_reply::text(200, "finally");
    if (first == "503") return scripted_reply::text(503, "busy");
    if (first == "busy") return scripted_reply::text(503, "busy", "Retry-After: 0\r\n");
    if (first == "404") return scripted_reply::text(404, "no");
    scripted_reply reply;
    reply.after = first == "reset" ? scripted_reply::then::reset : scripted_reply::then::close;
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  for (const char* kind : {"503", "close", "reset"}) {
    CAPTURE(kind);
    calls = 0;
    first = kind;
    CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).body == "finally");
    CHECK(calls == 3);
  }
  calls = 0;
  first = "404";
  CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).status == 404);
  CHECK(calls == 1);
  SUBCASE("what must not be done twice is sent once") {
    calls = 0;
    first = "close";
    auto what = get(server.origin() + "/");
    what.verb = http::method::post;
    what.idempotent = false;
    const auto failure = failure_of(context, transport, what);
    CHECK(failure.code() == errc::truncated_body);
    CHECK(calls == 1);
  }
  SUBCASE("what a busy server may have done is for who sent it") {
    calls = 1;
    first = "busy";
    auto what = get(server.origin() + "/");
    what.verb = http::method::post;
    what.idempotent = false;
    CHECK(test::run(context, fetch(transport, what)).body == "finally");
    CHECK(calls == 3);
    calls = 0;
    what.busy_is_undone = false;
    CHECK(test::run(context, fetch(transport, what)).status == 503);
    CHECK(calls == 1);
  }
  SUBCASE("a bounded number of times") {
    calls = -100;
    first = "503";
    CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).status == 503);
    CHECK(calls == -94);
  }
}

TEST_CASE("an idle connection that the server closed is replaced without counting as a try") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request&) {
    auto reply = scripted_reply::text(200, "ok");
    reply.after = scripted_reply::then::close;  // without saying so
    return reply;
  });
  auto config = quick();
  config.retries.attempts = 1;
  http::transport transport(context.get_executor(), config);
  for (int i = 0; i < 5; ++i)
    CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).body == "ok");
  CHECK(server.connections() == 5);
}

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
  config.timeouts.first_byte = 50ms;
  http::transport transport(context.get_executor(), config);
  const auto failure = failure_of(context, transport, get(server.origin() + "/trickle"));
  CHECK(failure.code() == errc::timed_out);
  CHECK(transport.open_connections() == 0);
}

TEST_CASE("a host that is not there and a port that refuses are errors that name them") {
  asio::io_context context;
  http::transport transport(context.get_executor(), quick());
  const auto unknown = failure_of(context, transport, get("http://no-such-host.invalid/"));
  CHECK(std::string(unknown.what()).find("no-such-host.invalid") != std::string::npos);
  CHECK(unknown.code().category() == asio::error::get_netdb_category());

  std::uint16_t port = 0;
  {
    scripted_server gone(context, {});
    port = gone.port();
  }
  const auto where = "127.0.0.1:" + std::to_string(port);
  const auto refused = failure_of(context, transport, get("http://" + where + "/"));
  CHECK(refused.code() == asio::error::connection_refused);
  CHECK(std::string(refused.what()).find(where) != std::string::npos);
}

TEST_CASE("no more connections are open than allowed, and everybody gets a turn") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(200, "ok"); });
  auto config = quick();
  config.max_connections = 3;
  http::transport transport(context.get_executor(), config);
  std::size_t answered = 0;
  auto one = [&](std::size_t) -> awaitable<void> {
    const auto result = co_await fetch(transport, get(server.origin() + "/"));
    if (result.body == "ok") ++answered;
    CHECK(transport.open_connections() <= 3);
  };
  test::run(context, io::for_each_bounded(50, 50, one));
  CHECK(answered == 50);
  CHECK(server.connections() == 3);
}

TEST_CASE("cancelling stops a request at once and closes its connection") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request& request) {
    scripted_reply reply;
    if (request.line.find("/body") != std::string::npos)
      reply.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";
    reply.after = scripted_reply::then::stall;
    return reply;
  });
  auto config = quick();
  config.max_connections = 1;
  http::transport transport(context.get_executor(), config);
  for (const char* path : {"/head", "/body"}) {
    CAPTURE(path);
    asio::cancellation_signal cancel;
    boost::system::error_code outcome;
    bool done = false;
    asio::co_spawn(context, fetch(transport, get(server.origin() + path)),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e, answer) {
                     done = true;
                     try {
                       if (e) std::rethrow_exception(e);
                     } catch (const boost::system::system_error& failure) {
                       outcome = failure.code();
                     }
                   }));
    // A second request waits in line behind the stalled one.
    bool waited = false;
    asio::cancellation_signal cancel_second;
    asio::co_spawn(context, fetch(transport, get(server.origin() + path)),
                   asio::bind_cancellation_slot(
                       cancel_second.slot(), [&](std::exception_ptr, answer) { waited = true; }));
    const auto before = server.seen().size();
    while (server.seen().size() == before) context.run_one();
    cancel_second.emit(asio::cancellation_type::terminal);
    cancel.emit(asio::cancellation_type::terminal);
    while (!done || !waited) context.run_one();
    CHECK(outcome == asio::error::operation_aborted);
    CHECK(transport.open_connections() == 0);
  }
}

TEST_CASE("a header with a line break cannot be sent") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(200, ""); });
  http::transport transport(context.get_executor(), quick());
  auto what = get(server.origin() + "/");
  what.headers.set("Authorization", "Bearer x\r\nX-Evil: 1");
  const auto failure = failure_of(context, transport, what);
  CHECK(failure.code() == errc::invalid_argument);
  CHECK(std::string(failure.what()).find("Bearer") == std::string::npos);
  CHECK(server.seen().empty());
}

TEST_CASE("an answer that comes while the body is still being sent is heard") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(200, ""); });
  // A server that refuses by the head alone: it never reads the body.
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
  auto refuse = [&]() -> awaitable<void> {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    const std::string reply =
        "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    co_await socket.async_send(asio::buffer(reply), asio::use_awaitable);
    socket.shutdown(asio::ip::tcp::socket::shutdown_send);
    std::string dropped(1 << 20, '\0');
    boost::system::error_code failure;
    for (int i = 0; i < 4 && !failure; ++i)
      co_await socket.async_receive(asio::buffer(dropped),
                                    asio::redirect_error(asio::use_awaitable, failure));
  };
  asio::co_spawn(context, refuse(), asio::detached);
  http::transport transport(context.get_executor(), quick());
  auto what = get("http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/");
  what.verb = http::method::post;
  what.idempotent = false;
  what.body = http::bytes_body(std::string(8 << 20, 'x'));
  int status = 0;
  try {
    status = test::run(context, fetch(transport, what)).status;
  } catch (const error& e) {
    // The reset that follows may overtake the answer: the kernel drops what was not read.
    CHECK(e.code() == errc::truncated_body);
    status = 413;
  }
  CHECK(status == 413);
}

TEST_CASE("what one request was told to wait, the others of its kind wait too") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request& request) {
    if (request.line.starts_with("GET /api/"))
      return scripted_reply::text(429, "", "ratelimit: \"api\";r=0;t=55\r\n");
    return scripted_reply::text(200, "page");
  });
  auto config = quick();
  config.retries.attempts = 1;
  http::transport transport(context.get_executor(), config);
  CHECK(test::run(context, fetch(transport, get(server.origin() + "/api/one"))).status == 429);
  asio::cancellation_signal stop;
  boost::system::error_code outcome;
  bool done = false;
  asio::co_spawn(context, fetch(transport, get(server.origin() + "/api/two")),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure, answer) {
                   done = true;
                   try {
                     if (failure) std::rethrow_exception(failure);
                   } catch (const boost::system::system_error& e) {
                     outcome = e.code();
                   }
                 }));
  CHECK(test::run(context, fetch(transport, get(server.origin() + "/page"))).body == "page");
  stop.emit(asio::cancellation_type::terminal);
  while (!done) context.run_one();
  CHECK(outcome == asio::error::operation_aborted);
  REQUIRE(server.seen().size() == 2);
  CHECK(server.seen()[1].line == "GET /page HTTP/1.1");
}

TEST_CASE("a budget bounds the retries of all requests together") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(500, ""); });
  auto config = quick();
  config.retries.budget = 3;
  http::transport transport(context.get_executor(), config);
  for (int i = 0; i < 4; ++i)
    CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).status == 500);
  CHECK(server.seen().size() == 4 + 3);
}

TEST_CASE("a limit counts from the connection, not from the place in line") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request& request) {
    scripted_reply stalled;
    stalled.after = scripted_reply::then::stall;
    if (request.line.starts_with("GET /stalls ")) return stalled;
    return scripted_reply::text(200, "ok");
  });
  auto config = quick();
  config.max_connections = 1;
  http::transport transport(context.get_executor(), config);
  asio::cancellation_signal release;
  asio::co_spawn(context, fetch(transport, get(server.origin() + "/stalls")),
                 asio::bind_cancellation_slot(release.slot(), [](std::exception_ptr, answer) {}));
  while (server.seen().empty()) context.run_one();
  auto limited = get(server.origin() + "/limited");
  limited.limit = 50ms;
  limited.retry = false;
  std::optional<answer> result;
  asio::co_spawn(context, fetch(transport, limited),
                 [&](std::exception_ptr, answer came) { result = std::move(came); });
  // Meanwhile a longer limit runs out elsewhere.
  scripted_server other(context, [](const seen_request&) {
    scripted_reply stalled;
    stalled.after = scripted_reply::then::stall;
    return stalled;
  });
  auto longer = get(other.origin() + "/");
  longer.limit = 100ms;
  const auto failure = failure_of(context, transport, longer);
  CHECK(failure.code() == errc::timed_out);
  CHECK(failure.http().url == other.origin() + "/");
  CHECK(other.seen().size() == 1);  // the limit is for all tries
  CHECK_FALSE(result.has_value());
  release.emit(asio::cancellation_type::terminal);
  while (!result) context.run_one();
  CHECK(result->body == "ok");
}

TEST_CASE("who has no time for the wait that the server asked for is told of it") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request&) {
    return scripted_reply::text(429, "", "Retry-After: 120\r\n");
  });
  http::transport transport(context.get_executor(), quick());
  auto what = get(server.origin() + "/o/m/resolve/main/x");
  what.retry = false;
  what.limit = 10s;
  CHECK(test::run(context, fetch(transport, what)).status == 429);
  const auto failure = failure_of(context, transport, what);
  CHECK(failure.code() == errc::rate_limited);
  REQUIRE(failure.http().retry_after.has_value());
  CHECK(*failure.http().retry_after > 100s);
  CHECK(*failure.http().retry_after <= 121s);
  CHECK(server.seen().size() == 1);
}

TEST_CASE("each request bears an id, by which it can be told even if no answer comes") {
  asio::io_context context;
  bool answers = true;
  scripted_server server(context, [&](const seen_request& request) {
    if (answers)
      return scripted_reply::text(request.line.find("/busy") == std::string::npos ? 200 : 503, "");
    scripted_reply nothing;
    nothing.after = scripted_reply::then::close;
    return nothing;
  });
  auto config = quick();
  config.retries.attempts = 2;
  std::vector<std::string> reported;
  config.on_request = [&](const http::request_report& report) {
    reported.emplace_back(report.trace_id);
  };
  http::transport transport(context.get_executor(), config);
  test::run(context, fetch(transport, get(server.origin() + "/busy")));
  auto named = get(server.origin() + "/");
  named.headers.set("X-Request-Id", "mine");
  test::run(context, fetch(transport, named));
  answers = false;
  const auto failure = failure_of(context, transport, get(server.origin() + "/"));
  std::vector<std::string> sent;
  for (const auto& request : server.seen()) sent.push_back(request.header("x-amzn-trace-id"));
  REQUIRE(sent.size() >= 5);
  CHECK(sent[0].size() == 36);
  CHECK(sent[0] != sent[1]);
  CHECK(sent[2] == "mine");
  CHECK(failure.http().request_id == sent.back());
  CHECK(std::string(failure.what()).find(sent.back()) != std::string::npos);
  CHECK(reported.front() == sent.front());
  CHECK(reported.back() == sent.back());
}
