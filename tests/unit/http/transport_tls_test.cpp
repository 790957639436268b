#include "cohub/error.hpp"

#include "http/stream.hpp"
#include "http/tls_context.hpp"
#include "http/transport.hpp"
#include "io/file.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"
#include "support/test_certificate.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

using namespace cohub;
using test::scripted_reply;
using test::scripted_server;
using test::seen_request;
using test::test_certificate;

namespace {

awaitable<std::string> fetch(http::transport& transport, std::string url) {
  http::request what;
  what.url = core::parse_url(url).value();
  auto response = co_await transport.send(std::move(what));
  auto body = co_await response.read_all();
  co_return body;
}

boost::system::error_code failure_of(asio::io_context& context, http::transport& transport,
                                     const std::string& url) {
  try {
    test::run(context, fetch(transport, url));
  } catch (const error& e) {
    return e.code();
  }
  return {};
}

const auto answer = [](const seen_request&) {
  return scripted_reply::text(200, std::string(200'000, 's'));
};

}  // namespace

TEST_CASE("https works with an authority given in the configuration") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "localhost");
  asio::io_context context;
  scripted_server server(context, answer, paper.server_context());
  http::transport_config config;
  config.ca_file = paper.certificate;
  http::transport transport(context.get_executor(), config);
  for (int i = 0; i < 3; ++i)
    CHECK(test::run(context, fetch(transport, server.origin() + "/")) == std::string(200'000, 's'));
  CHECK(server.connections() == 1);
}

TEST_CASE("authorities are read on the pool, once, while the executor goes on") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "localhost");
  const auto pipe = folder.path() / "authorities";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  asio::io_context context;
  asio::thread_pool pool(1);
  scripted_server server(context, answer, paper.server_context());
  http::transport_config config;
  config.ca_file = pipe;  // whoever opens it waits for a writer
  config.blocking_executor = pool.get_executor();
  http::transport transport(context.get_executor(), config);
  int arrived = 0;
  for (int i = 0; i < 3; ++i)
    asio::co_spawn(context, fetch(transport, server.origin() + "/"),
                   [&](std::exception_ptr failure, const std::string& content) {
                     CHECK_FALSE(failure);
                     CHECK(content.size() == 200'000);
                     ++arrived;
                   });
  context.poll();  // comes back: nothing here waits for the file
  CHECK(server.connections() == 0);
  std::ofstream(pipe) << io::read_file(paper.certificate, 1u << 20);
  while (arrived < 3) context.run_one();
  CHECK(arrived == 3);
}

namespace {

/// A client whose authorities come through a pipe, so that reading them waits for a writer.
struct slow_authorities {
  slow_authorities() : pool(1) {
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    config.ca_file = pipe;
    config.blocking_executor = pool.get_executor();
    config.retries.attempts = 1;
  }
  void tell(const std::string& text) { std::ofstream(pipe) << text; }

  io::temporary_directory folder;
  std::filesystem::path pipe = folder.path() / "authorities";
  test_certificate paper{folder.path(), "localhost"};
  asio::io_context context;
  asio::thread_pool pool;
  scripted_server server{context, answer, paper.server_context()};
  http::transport_config config;
};

}  // namespace

TEST_CASE_FIXTURE(slow_authorities, "who waits for the authorities may leave, and they are kept") {
  http::transport transport(context.get_executor(), config);
  asio::cancellation_signal leave;
  boost::system::error_code left;
  auto note = [&](std::exception_ptr failure, const std::string&) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
      left = e.code();
    }
  };
  asio::co_spawn(context, fetch(transport, server.origin() + "/"),
                 asio::bind_cancellation_slot(leave.slot(), note));
  context.poll();
  leave.emit(asio::cancellation_type::terminal);
  context.poll();
  CHECK(left == asio::error::operation_aborted);
  CHECK(transport.open_connections() == 0);
  tell(io::read_file(paper.certificate, 1u << 20));
  // The pipe would not be opened a second time.
  CHECK(test::run(context, fetch(transport, server.origin() + "/")) == std::string(200'000, 's'));
}

TEST_CASE_FIXTURE(slow_authorities, "waiting for the authorities is part of connecting") {
  config.timeouts.connect = std::chrono::milliseconds(1);
  http::transport transport(context.get_executor(), config);
  boost::system::error_code ended;
  auto note = [&](std::exception_ptr failure, const std::string&) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
      ended = e.code();
    }
  };
  asio::co_spawn(context, fetch(transport, server.origin() + "/"), note);
  while (!ended) context.run_one();
  CHECK(ended == errc::timed_out);
  CHECK(transport.open_connections() == 0);
  tell({});
  context.poll();
}

TEST_CASE_FIXTURE(slow_authorities, "all who wait hear that the authorities cannot be read") {
  http::transport transport(context.get_executor(), config);
  int failed = 0;
  for (int i = 0; i < 3; ++i)
    asio::co_spawn(context, fetch(transport, server.origin() + "/"),
                   [&](std::exception_ptr failure, const std::string&) {
                     try {
                       if (failure) std::rethrow_exception(failure);
                     } catch (const error& e) {
                       if (e.code() == errc::invalid_argument) ++failed;
                     }
                   });
  context.poll();
  tell("no certificate");
  while (failed < 3) context.run_one();
  CHECK(failed == 3);
  // Whoever asks later has them read again.
  std::string content;
  asio::co_spawn(context, fetch(transport, server.origin() + "/"),
                 [&](std::exception_ptr, std::string text) { content = std::move(text); });
  context.poll();
  tell(io::read_file(paper.certificate, 1u << 20));
  while (content.empty()) context.run_one();
  CHECK(content == std::string(200'000, 's'));
}

TEST_CASE("authorities may be a folder of files that are named by their subjects") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "localhost");
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(paper.certificate.c_str(), "r"),
                                                       BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr), X509_free);
  REQUIRE(certificate);
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "%08lx.0", X509_subject_name_hash(certificate.get()));
  std::filesystem::create_directory(folder.path() / "authorities");
  std::filesystem::copy_file(paper.certificate, folder.path() / "authorities" / name.data());
  asio::io_context context;
  scripted_server server(context, answer, paper.server_context());
  http::transport_config config;
  config.ca_file = folder.path() / "authorities";
  http::transport transport(context.get_executor(), config);
  CHECK(test::run(context, fetch(transport, server.origin() + "/")) == std::string(200'000, 's'));
}

TEST_CASE("a certificate that nobody vouches for is rejected, once and for all") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "localhost");
  asio::io_context context;
  scripted_server server(context, answer, paper.server_context());
  http::transport transport(context.get_executor(), {});
  CHECK(failure_of(context, transport, server.origin() + "/") == errc::certificate_rejected);
  CHECK(server.connections() == 1);
  CHECK(server.seen().empty());
}

TEST_CASE("a certificate of another host is rejected, for names and for addresses") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "hub.example");
  const test_certificate local(folder.path(), "localhost");
  asio::io_context context;
  scripted_server wrong_name(context, answer, paper.server_context());
  http::transport_config config;
  config.ca_file = paper.certificate;
  http::transport transport(context.get_executor(), config);
  CHECK(failure_of(context, transport, wrong_name.origin() + "/") == errc::certificate_rejected);

  scripted_server wrong_address(context, answer, local.server_context());
  config.ca_file = local.certificate;
  http::transport other(context.get_executor(), config);
  CHECK(failure_of(context, other,
                   "https://127.0.0.1:" + std::to_string(wrong_address.port()) + "/") ==
        errc::certificate_rejected);
}

TEST_CASE("a host that no certificate can be checked against is not trusted") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "localhost");
  asio::io_context context;
  scripted_server server(context, answer, paper.server_context());
  auto handshake = [&]() -> awaitable<void> {
    asio::ip::tcp::socket socket(context);
    const asio::ip::tcp::endpoint there(asio::ip::make_address("127.0.0.1"), server.port());
    co_await socket.async_connect(there, asio::use_awaitable);
    auto authorities = http::make_tls_context(paper.certificate);
    auto making = http::make_tls_stream(std::move(socket), std::move(authorities), "fe80::1%1");
    const auto made = co_await std::move(making);
  };
  try {
    test::run(context, handshake());
    FAIL("it was trusted");
  } catch (const error& e) {
    CHECK(e.code() == errc::certificate_rejected);
  }
}

TEST_CASE("a file of authorities that is not one is refused") {
  io::temporary_directory folder;
  io::write_file_atomically(folder.path() / "ca.pem", "not a certificate");
  asio::io_context context;
  scripted_server server(context, answer);
  http::transport_config config;
  config.ca_file = folder.path() / "ca.pem";
  http::transport transport(context.get_executor(), config);
  CHECK(
      failure_of(context, transport, "https://localhost:" + std::to_string(server.port()) + "/") ==
      errc::invalid_argument);
}

TEST_CASE("plain HTTP behind an https address is an error of the handshake") {
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
  auto talk_plainly = [&]() -> awaitable<void> {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    const std::string reply = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(reply), asio::use_awaitable);
  };
  asio::co_spawn(context, talk_plainly(), asio::detached);
  http::transport_config config;
  config.retries.attempts = 1;
  http::transport transport(context.get_executor(), config);
  const auto port = std::to_string(acceptor.local_endpoint().port());
  const auto failure = failure_of(context, transport, "https://localhost:" + port + "/");
  CHECK(failure.category() == asio::error::get_ssl_category());
}

TEST_CASE(
    "a TLS connection that breaks inside a body, or before an answer, is a broken connection") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "localhost");
  asio::io_context context;
  scripted_server server(
      context,
      [](const seen_request& request) {
        scripted_reply reply;
        if (request.line.find("/chunked") != std::string::npos)
          reply.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort";
        else if (request.line.find("/body") != std::string::npos)
          reply.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";
        reply.after = scripted_reply::then::garble;
        return reply;
      },
      paper.server_context());
  http::transport_config config;
  config.ca_file = paper.certificate;
  config.retries.attempts = 1;
  http::transport transport(context.get_executor(), config);
  for (const char* path : {"/body", "/chunked", "/head"}) {
    CAPTURE(path);
    CHECK(failure_of(context, transport, server.origin() + path) == errc::truncated_body);
  }
}

TEST_CASE("a context may go while the authorities are being read") {
  io::temporary_directory folder;
  const test_certificate paper(folder.path(), "localhost");
  const auto pipe = folder.path() / "authorities";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  asio::thread_pool pool(1);
  {
    asio::io_context context;
    scripted_server server(context, answer, paper.server_context());
    http::transport_config config;
    config.ca_file = pipe;
    config.blocking_executor = pool.get_executor();
    http::transport transport(context.get_executor(), config);
    asio::cancellation_signal leave;
    bool left = false;
    asio::co_spawn(context, fetch(transport, server.origin() + "/"),
                   asio::bind_cancellation_slot(
                       leave.slot(), [&](std::exception_ptr, const std::string&) { left = true; }));
    context.poll();
    leave.emit(asio::cancellation_type::terminal);
    context.poll();
    CHECK(left);
  }
  std::ofstream(pipe) << "none";  // what the pool finds is for nobody
  pool.join();
}
