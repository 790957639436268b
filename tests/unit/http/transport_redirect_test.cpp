#include "cohub/error.hpp"

#include "http/transport.hpp"
#include "transport_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace cohub;
using test::failure_of;
using test::fetch;
using test::get;
using test::quick;
using test::scripted_reply;
using test::scripted_server;
using test::seen_request;

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

TEST_CASE("a redirect keeps the method and the body, or makes a GET of them, by its status") {
  struct expectation {
    http::method verb;
    int status;
    std::string seen;
  };
  const std::vector<expectation> all{
      {http::method::post, 301, "GET"},  {http::method::post, 302, "GET"},
      {http::method::post, 303, "GET"},  {http::method::post, 307, "POST"},
      {http::method::post, 308, "POST"}, {http::method::put, 301, "PUT"},
      {http::method::put, 302, "PUT"},   {http::method::put, 303, "GET"},
      {http::method::put, 307, "PUT"},   {http::method::head, 302, "HEAD"},
      {http::method::head, 303, "HEAD"}};
  asio::io_context context;
  int status = 0;
  scripted_server server(context, [&](const seen_request& request) {
    if (request.line.find(" /new ") != std::string::npos) return scripted_reply::text(204, "");
    return scripted_reply::text(status, "", "Location: /new\r\n");
  });
  http::transport transport(context.get_executor(), quick());
  for (const auto& each : all) {
    CAPTURE(each.status);
    CAPTURE(each.seen);
    status = each.status;
    auto what = get(server.origin() + "/old");
    what.verb = each.verb;
    what.headers.set("Content-Type", "text/plain");
    if (each.verb != http::method::head) what.body = http::bytes_body("content");
    CHECK(test::run(context, fetch(transport, what)).status == 204);
    const auto& seen = server.seen().back();
    CHECK(seen.line == each.seen + " /new HTTP/1.1");
    const bool with_body = each.seen == "POST" || each.seen == "PUT";
    CHECK(seen.body == (with_body ? "content" : ""));
    CHECK(seen.header("content-type").empty() == (each.seen == "GET"));
  }
}

TEST_CASE("a redirect whose text is cut is followed all the same") {
  asio::io_context context;
  scripted_server server(context, [&](const seen_request& request) {
    if (request.line.starts_with("GET /new")) return scripted_reply::text(200, "here");
    scripted_reply reply;
    reply.bytes = "HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 100\r\n\r\nMoved";
    reply.after = scripted_reply::then::close;
    return reply;
  });
  http::transport transport(context.get_executor(), quick());
  CHECK(test::run(context, fetch(transport, get(server.origin() + "/"))).body == "here");
}
