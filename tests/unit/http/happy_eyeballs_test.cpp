#include "http/happy_eyeballs.hpp"

#include "http/transport.hpp"
#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <iterator>
#include <optional>

using namespace std::chrono_literals;
using namespace cohub;
using tcp = asio::ip::tcp;

namespace {

tcp::endpoint local(std::uint16_t port = 0) { return {asio::ip::make_address("127.0.0.1"), port}; }

tcp::endpoint refusing(asio::io_context& context) {
  tcp::acceptor reserved(context, local());
  return reserved.local_endpoint();
}

/// An address that answers no connection: the queue of its listening socket is full.
struct black_hole {
  explicit black_hole(asio::io_context& context) : acceptor(context), filler(context) {
    acceptor.open(tcp::v4());
    acceptor.bind(local());
    acceptor.listen(0);
    filler.connect(acceptor.local_endpoint());
  }
  tcp::endpoint address() const { return acceptor.local_endpoint(); }

  tcp::acceptor acceptor;
  tcp::socket filler;
};

std::ptrdiff_t descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

awaitable<tcp::endpoint> reached(std::vector<tcp::endpoint> addresses,
                                 std::chrono::milliseconds delay) {
  auto socket = co_await http::connect_to_first(std::move(addresses), delay);
  co_return socket.remote_endpoint();
}

std::vector<tcp::endpoint> endpoints(const std::vector<std::string>& texts) {
  std::vector<tcp::endpoint> found;
  for (const auto& text : texts) found.emplace_back(asio::ip::make_address(text), 80);
  return found;
}

}  // namespace

TEST_CASE("the families of addresses take turns, the resolver's first one first") {
  CHECK(http::interleave(endpoints({"::1", "::2", "::3", "1.1.1.1", "2.2.2.2"})) ==
        endpoints({"::1", "1.1.1.1", "::2", "2.2.2.2", "::3"}));
  CHECK(http::interleave(endpoints({"1.1.1.1", "2.2.2.2", "3.3.3.3", "::1"})) ==
        endpoints({"1.1.1.1", "::1", "2.2.2.2", "3.3.3.3"}));
  CHECK(http::interleave(endpoints({"1.1.1.1"})) == endpoints({"1.1.1.1"}));
  CHECK(http::interleave({}).empty());
  CHECK(http::interleave(std::vector<tcp::endpoint>(1000, local(80))).size() == 16);
}

TEST_CASE("the next address is tried at once when one refuses") {
  asio::io_context context;
  tcp::acceptor open(context, local());
  const std::vector<tcp::endpoint> addresses{refusing(context), refusing(context),
                                             open.local_endpoint()};
  // With a delay of an hour, only the failures can have started the third.
  CHECK(test::run(context, reached(addresses, 1h)) == open.local_endpoint());
}

TEST_CASE("an address that never answers delays the next one only by the delay") {
  asio::io_context context;
  const black_hole silent(context);
  const black_hole silent_too(context);
  tcp::acceptor open(context, local());
  const std::vector<tcp::endpoint> addresses{silent.address(), silent_too.address(),
                                             open.local_endpoint()};
  const auto before = descriptors();
  const auto start = std::chrono::steady_clock::now();
  CHECK(test::run(context, reached(addresses, 20ms)) == open.local_endpoint());
  CHECK(std::chrono::steady_clock::now() - start >= 40ms);
  CHECK(descriptors() == before);  // the others are closed
}

TEST_CASE("an address that answers leaves the others alone") {
  asio::io_context context;
  tcp::acceptor first(context, local());
  tcp::acceptor second(context, local());
  const std::vector<tcp::endpoint> addresses{first.local_endpoint(), second.local_endpoint()};
  CHECK(test::run(context, reached(addresses, 1h)) == first.local_endpoint());
  second.non_blocking(true);
  boost::system::error_code nobody;
  second.accept(nobody);
  CHECK(nobody == asio::error::would_block);
}

TEST_CASE("when no address answers the first telling failure is reported") {
  asio::io_context context;
  const std::vector<tcp::endpoint> addresses{refusing(context), refusing(context)};
  boost::system::error_code failure;
  try {
    test::run(context, reached(addresses, 1h));
  } catch (const boost::system::system_error& e) {
    failure = e.code();
  }
  CHECK(failure == asio::error::connection_refused);
}

TEST_CASE("cancelling leaves no attempt behind") {
  asio::io_context context;
  const black_hole silent(context);
  const std::vector<tcp::endpoint> addresses(5, silent.address());
  const auto before = descriptors();
  asio::cancellation_signal signal;
  std::optional<boost::system::error_code> ended;
  asio::co_spawn(
      context, reached(addresses, 5ms),
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr failure, tcp::endpoint) {
        try {
          if (failure) std::rethrow_exception(failure);
        } catch (const boost::system::system_error& e) {
          ended = e.code();
        }
      }));
  while (descriptors() < before + 2) context.run_one();  // two attempts are under way
  asio::post(context, [&] { signal.emit(asio::cancellation_type::terminal); });
  context.run();  // returns: nothing is waited for any more
  CHECK(ended == boost::system::error_code(asio::error::operation_aborted));
  CHECK(descriptors() == before);
}

TEST_CASE("an IPv6 address in a url is connected to") {
  asio::io_context context;
  tcp::acceptor acceptor(context);
  boost::system::error_code missing;
  acceptor.open(tcp::v6(), missing);
  if (!missing) acceptor.bind({asio::ip::make_address("::1"), 0}, missing);
  if (missing) return;  // a machine without IPv6
  acceptor.listen();
  std::string seen;
  auto serve = [&]() -> awaitable<void> {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    co_await asio::async_read_until(socket, asio::dynamic_buffer(seen), "\r\n\r\n",
                                    asio::use_awaitable);
    const std::string reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    co_await asio::async_write(socket, asio::buffer(reply), asio::use_awaitable);
  };
  asio::co_spawn(context, serve(), asio::detached);
  http::transport transport(context.get_executor(), {});
  const std::string host = "[::1]:" + std::to_string(acceptor.local_endpoint().port());
  auto fetch = [&]() -> awaitable<std::string> {
    http::request what;
    what.url = core::parse_url("http://" + host + "/").value();
    auto answer = co_await transport.send(std::move(what));
    auto body = co_await answer.read_all();
    co_return body;
  };
  CHECK(test::run(context, fetch()) == "hi");
  CHECK(seen.find("Host: " + host + "\r\n") != seen.npos);
}
