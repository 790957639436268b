#include "cohub/error.hpp"

#include "http/stream.hpp"
#include "support/run.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>

using namespace cohub;
using namespace std::chrono_literals;
using tcp = asio::ip::tcp;

namespace {

struct fixture {
  asio::io_context context;
  tcp::socket peer{context};
  std::unique_ptr<http::stream> stream;

  fixture() {
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp::socket own(context);
    own.connect(acceptor.local_endpoint());
    peer = acceptor.accept();
    stream = http::make_plain_stream(std::move(own));
    stream->set_read_mark(64 * 1024);
    stream->set_silence_limit(30ms);
  }

  boost::system::error_code wait() {
    try {
      test::run(context, stream->wait_readable());
    } catch (const boost::system::system_error& e) {
      return e.code();
    }
    return {};
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "who waits for many bytes is told that none came") {
  CHECK(wait() == asio::error::timed_out);
}

TEST_CASE_FIXTURE(fixture, "who waits for many bytes gets the few that came") {
  SUBCASE("within the limit of silence") {}
  SUBCASE("long before that limit") { stream->set_silence_limit(1h); }
  SUBCASE("without such a limit") { stream->set_silence_limit({}); }
  asio::write(peer, asio::buffer(std::string("few")));
  CHECK_FALSE(wait());
  std::array<std::byte, 10> room{};
  CHECK(stream->try_read_some(room) == 3u);
}
