#include "http/transport.hpp"

#include "cohub/error.hpp"

#include "io/for_each_bounded.hpp"
#include "transport_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace cohub;
using test::answer;
using test::failure_of;
using test::fetch;
using test::get;
using test::quick;
using test::scripted_reply;
using test::scripted_server;
using test::seen_request;

namespace {

/// Closes the connection without an answer.
scripted_reply no_answer() {
  scripted_reply nothing;
  nothing.after = scripted_reply::then::close;
  return nothing;
}

std::vector<std::string> ids_seen(const scripted_server& server) {
  std::vector<std::string> ids;
  for (const auto& request : server.seen()) ids.push_back(request.header("x-amzn-trace-id"));
  return ids;
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
  transport.close_idle_connections();
  CHECK(transport.open_connections() == 0);
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
  what.headers.set("transfer-encoding", "chunked");  // as a store may ask for, and gets not
  test::run(context, fetch(transport, what));
  CHECK(server.seen().at(0).header("content-length") == "1000003");
  CHECK(server.seen().at(0).header("transfer-encoding").empty());
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

TEST_CASE("what is sent again since the connection was stale bears an id of its own") {
  asio::io_context context;
  std::size_t count = 0;
  scripted_server server(context, [&](const seen_request&) {
    return ++count == 2 ? no_answer() : scripted_reply::text(200, "ok");
  });
  auto config = quick();
  config.retries.attempts = 1;
  std::vector<std::string> reported;
  config.on_request = [&](const http::request_report& report) {
    reported.emplace_back(report.trace_id);
  };
  http::transport transport(context.get_executor(), config);
  for (int i = 0; i < 2; ++i)
    CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).body == "ok");
  const auto sent = ids_seen(server);
  REQUIRE(sent.size() == 3);
  CHECK(sent[1] != sent[2]);
  CHECK(reported == std::vector{sent[0], sent[2]});
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

TEST_CASE("what is not wanted any more is not sent, and its connection serves others") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(200, "ok"); });
  http::transport transport(context.get_executor(), quick());
  auto what = get(server.origin() + "/a");
  what.wanted = [] { return false; };
  CHECK_THROWS_AS(test::run(context, fetch(transport, what)), http::unwanted_request);
  CHECK(test::run(context, fetch(transport, get(server.origin() + "/b"))).body == "ok");
  REQUIRE(server.seen().size() == 1);
  CHECK(server.seen()[0].line == "GET /b HTTP/1.1");
  CHECK(server.connections() == 1);
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
  auto config = quick();
  config.user_agent = "me\r\nX-Evil: 1";
  http::transport other(context.get_executor(), config);
  CHECK(failure_of(context, other, get(server.origin() + "/")).code() == errc::invalid_argument);
  CHECK(server.seen().empty());
}

TEST_CASE("whatever headers are given, the host is that of the address, and told once") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(200, "ok"); });
  http::transport transport(context.get_executor(), quick());
  auto what = get(server.origin() + "/");
  what.headers.set("host", "elsewhere.example");
  what.headers.set("Content-Length", "7");
  CHECK(test::run(context, fetch(transport, what)).body == "ok");
  const auto& head = server.seen().at(0).head;
  CHECK(server.origin().ends_with(server.seen().at(0).header("host")));
  CHECK(head.find("elsewhere") == std::string::npos);
  CHECK(head.find("Content-Length") == std::string::npos);
  for (const char* name : {"Host: elsewhere.example\r\nX", "Host: a", "", "Host ", "H\xc3\xb6st"}) {
    CAPTURE(name);
    auto odd = get(server.origin() + "/");
    odd.headers.set(name, "b");
    CHECK(failure_of(context, transport, odd).code() == errc::invalid_argument);
  }
  CHECK(server.seen().size() == 1);
}

TEST_CASE("what must not be sent twice does not go over a connection that may be stale") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(200, "ok"); });
  http::transport transport(context.get_executor(), quick());
  auto what = get(server.origin() + "/");
  CHECK(test::run(context, fetch(transport, what)).body == "ok");
  CHECK(test::run(context, fetch(transport, what)).body == "ok");
  CHECK(server.connections() == 1);
  what.verb = http::method::post;
  what.idempotent = false;
  CHECK(test::run(context, fetch(transport, what)).body == "ok");
  CHECK(server.connections() == 2);
}

TEST_CASE("each request bears an id, by which it can be told even if no answer comes") {
  asio::io_context context;
  bool answers = true;
  scripted_server server(context, [&](const seen_request& request) {
    if (answers)
      return scripted_reply::text(request.line.find("/busy") == std::string::npos ? 200 : 503, "");
    return no_answer();
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
  const auto sent = ids_seen(server);
  REQUIRE(sent.size() >= 5);
  CHECK(sent[0].size() == 36);
  CHECK(sent[0] != sent[1]);
  CHECK(sent[2] == "mine");
  CHECK(failure.http().request_id == sent.back());
  CHECK(std::string(failure.what()).find(sent.back()) != std::string::npos);
  CHECK(reported.front() == sent.front());
  CHECK(reported.back() == sent.back());
}
