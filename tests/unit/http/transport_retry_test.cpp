#include "cohub/error.hpp"

#include "http/transport.hpp"
#include "transport_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace std::chrono_literals;
using namespace cohub;
using test::answer;
using test::failure_of;
using test::fetch;
using test::get;
using test::quick;
using test::scripted_reply;
using test::scripted_server;
using test::seen_request;

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

TEST_CASE("what a server has no room for while it does others is asked for more often") {
  asio::io_context context;
  int refusals = 0;
  scripted_server server(context, [&](const seen_request& request) {
    if (request.line.starts_with("GET /busy") && ++refusals <= 20)
      return scripted_reply::text(503, "");
    return scripted_reply::text(200, "done");
  });
  auto config = quick();
  config.retries.base_delay = config.retries.max_delay = std::chrono::milliseconds(5);
  http::transport transport(context.get_executor(), config);
  bool done = false;
  asio::co_spawn(context, fetch(transport, get(server.origin() + "/busy")),
                 [&](std::exception_ptr failure, const answer& got) {
                   done = true;
                   CHECK_FALSE(failure);
                   CHECK(got.body == "done");
                 });
  while (!done) test::run(context, fetch(transport, get(server.origin() + "/other")));
  CHECK(refusals == 21);
  refusals = -100;
  CHECK(test::run(context, fetch(transport, get(server.origin() + "/busy"))).status == 503);
  CHECK(refusals == -94);  // alone, it is trouble
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

TEST_CASE("what stands in line for a connection waits, too, once one request was told to") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request&) {
    return scripted_reply::text(429, "", "Retry-After: 55\r\n");
  });
  auto config = quick();
  config.max_connections = 1;
  config.retries.attempts = 1;
  http::transport transport(context.get_executor(), config);
  int refused = 0;
  int told = 0;
  for (int i = 0; i < 5; ++i) {
    auto what = get(server.origin() + "/o/m/resolve/main/x");
    what.retry = false;
    what.limit = 10s;
    asio::co_spawn(context, fetch(transport, what), [&](std::exception_ptr failure, answer came) {
      if (came.status == 429) ++refused;
      if (failure) ++told;
    });
  }
  while (refused + told < 5) context.run_one();
  CHECK(refused == 1);
  CHECK(told == 4);
  CHECK(server.seen().size() == 1);
}

TEST_CASE("limits without end are none") {
  asio::io_context context;
  scripted_server server(context,
                         [](const seen_request&) { return scripted_reply::text(200, "hello"); });
  auto config = quick();
  constexpr auto endless = std::chrono::milliseconds::max();
  config.timeouts.connect = config.timeouts.first_byte = config.timeouts.stall = endless;
  http::transport transport(context.get_executor(), config);
  auto what = get(server.origin() + "/");
  what.limit = endless;
  CHECK(test::run(context, fetch(transport, what)).body == "hello");
  CHECK(server.seen().size() == 1);
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
  limited.limit = 2s;
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
  longer.limit = 2100ms;
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

TEST_CASE("a limit is charged for the tries that fail, too") {
  asio::io_context context;
  scripted_server server(context, [](const seen_request&) {
    scripted_reply stalled;
    stalled.after = scripted_reply::then::stall;
    return stalled;
  });
  auto config = quick();
  config.timeouts.first_byte = 100ms;
  http::transport transport(context.get_executor(), config);
  auto what = get(server.origin() + "/");
  what.limit = 250ms;
  CHECK(failure_of(context, transport, what).code() == errc::timed_out);
  CHECK(server.seen().size() <= 3);
}

TEST_CASE("a failure whose text is cut, or does not end, is tried again like any other") {
  asio::io_context context;
  int calls = 0;
  auto after = scripted_reply::then::close;
  SUBCASE("cut") {}
  SUBCASE("reset") { after = scripted_reply::then::reset; }
  SUBCASE("without end") { after = scripted_reply::then::stall; }
  scripted_server server(context, [&](const seen_request&) {
    if (++calls > 1) return scripted_reply::text(200, "finally");
    scripted_reply reply;
    reply.bytes = "HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nbusy";
    reply.after = after;
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).body == "finally");
  CHECK(calls == 2);
  CHECK(transport.open_connections() == 1);
}
