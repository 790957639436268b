#include "http/tls_sessions.hpp"

#include "cohub/error.hpp"

#include "http/transport.hpp"
#include "io/file.hpp"
#include "io/for_each_bounded.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"
#include "support/test_certificate.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cohub;
using test::scripted_reply;
using test::scripted_server;
using test::seen_request;
using test::test_certificate;

namespace {

/// What a server's context sees of handshakes.
struct handshakes {
  int full = 0;
  int resumed = 0;
  std::string cipher;
};

int handshakes_index() {  // not the app data, which Asio uses and frees
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void note_handshake(const SSL* handle, int where, int) {
  if ((where & SSL_CB_HANDSHAKE_DONE) == 0) return;
  auto* const seen =
      static_cast<handshakes*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(handle), handshakes_index()));
  ++(SSL_session_reused(handle) != 0 ? seen->resumed : seen->full);
  seen->cipher = SSL_get_cipher_name(handle);
}

std::shared_ptr<asio::ssl::context> watched(const test_certificate& paper, handshakes& seen) {
  auto context = paper.server_context();
  SSL_CTX_set_ex_data(context->native_handle(), handshakes_index(), &seen);
  SSL_CTX_set_info_callback(context->native_handle(), note_handshake);
  return context;
}

awaitable<void> fetch(http::transport& transport, std::string url) {
  http::request what;
  what.url = core::parse_url(url).value();
  auto response = co_await transport.send(std::move(what));
  co_await response.read_all();
}

awaitable<void> fetch_at_once(http::transport& transport, std::string url, std::size_t count) {
  auto one = [&](std::size_t) -> awaitable<void> { co_await fetch(transport, url); };
  co_await io::for_each_bounded(count, count, std::move(one));
}

/// Every answer ends its connection, so that each request makes another.
scripted_reply last_answer(const seen_request&) {
  auto reply = scripted_reply::text(200, "hi", "Connection: close\r\n");
  reply.after = scripted_reply::then::close;
  return reply;
}

}  // namespace

TEST_CASE("all connections after an origin's first resume its session") {
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    CAPTURE(version);
    io::temporary_directory folder;
    const test_certificate paper(folder.path(), "localhost");
    asio::io_context context;
    handshakes seen;
    auto server_side = watched(paper, seen);
    SSL_CTX_set_max_proto_version(server_side->native_handle(), version);
    scripted_server server(context, last_answer, server_side);
    http::transport_config config;
    config.ca_file = paper.certificate;
    http::transport transport(context.get_executor(), config);
    test::run(context, fetch(transport, server.origin() + "/"));
    CHECK(seen.full == 1);
    test::run(context, fetch_at_once(transport, server.origin() + "/", 8));
    CHECK(server.connections() == 9);
    CHECK(seen.full == 1);
    CHECK(seen.resumed == 8);
    if (version == TLS1_3_VERSION) CHECK(seen.cipher == "TLS_AES_128_GCM_SHA256");
  }
}

TEST_CASE("a session is resumed after its connection broke") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "localhost");
  asio::io_context context;
  handshakes seen;
  scripted_server server(
      context,
      [](const seen_request&) {
        scripted_reply reply;
        reply.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi";
        reply.after = scripted_reply::then::close;
        return reply;
      },
      watched(paper, seen));
  http::transport_config config;
  config.ca_file = paper.certificate;
  http::transport transport(context.get_executor(), config);
  for (int i = 0; i < 4; ++i)
    CHECK_THROWS_AS(test::run(context, fetch(transport, server.origin() + "/")), error);
  CHECK(seen.full == 1);
  CHECK(seen.resumed == 3);
}

TEST_CASE("a session that the server forgot costs a full handshake, not the request") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "localhost");
  asio::io_context context;
  handshakes seen;
  auto server_side = watched(paper, seen);
  scripted_server server(context, last_answer, server_side);
  http::transport_config config;
  config.ca_file = paper.certificate;
  http::transport transport(context.get_executor(), config);
  test::run(context, fetch(transport, server.origin() + "/"));
  unsigned char other_keys[80] = {1};
  REQUIRE(SSL_CTX_set_tlsext_ticket_keys(server_side->native_handle(), other_keys, 80) == 1);
  test::run(context, fetch(transport, server.origin() + "/"));
  CHECK(seen.full == 2);
  CHECK(seen.resumed == 0);
}

TEST_CASE("an origin's session is not offered to another origin") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "localhost");
  asio::io_context context;
  handshakes seen;
  const auto server_side = watched(paper, seen);  // one context: either would take the other's
  scripted_server first(context, last_answer, server_side);
  scripted_server second(context, last_answer, server_side);
  http::transport_config config;
  config.ca_file = paper.certificate;
  http::transport transport(context.get_executor(), config);
  test::run(context, fetch(transport, first.origin() + "/"));
  test::run(context, fetch(transport, second.origin() + "/"));
  CHECK(seen.full == 2);
  CHECK(seen.resumed == 0);
}

TEST_CASE("a shelf keeps a few sessions, and lends its last one again and again") {
  http::tls_session_shelf shelf;
  CHECK(shelf.take() == nullptr);
  http::tls_session useless(SSL_SESSION_new());  // without a ticket or an id
  for (int i = 0; i < 100; ++i) shelf.put(useless.get());
  CHECK(shelf.size() == http::tls_session_shelf::capacity);
  CHECK(shelf.take() == nullptr);  // none of them can be resumed
  CHECK(shelf.size() == 0);

  http::tls_session session(SSL_SESSION_new());
  const unsigned char id[] = {1, 2, 3};
  REQUIRE(SSL_SESSION_set1_id(session.get(), id, sizeof(id)) == 1);
  shelf.put(session.get());
  shelf.put(session.get());
  for (int i = 0; i < 5; ++i) CHECK(shelf.take() != nullptr);
  CHECK(shelf.size() == 1);
  SSL_SESSION_set_time(session.get(), 1000);  // long ago
  shelf.put(session.get());
  CHECK(shelf.take() != nullptr);
  CHECK(shelf.take() == nullptr);
}
