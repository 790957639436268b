#include "http/lookup.hpp"

#include "cohub/error.hpp"

#include "io/with_timeout.hpp"
#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <optional>

using namespace std::chrono_literals;
using namespace cohub;

namespace {

using addresses = std::vector<asio::ip::tcp::endpoint>;

const asio::ip::tcp::endpoint known(asio::ip::make_address("192.0.2.1"), 443);

/// A resolver that answers when a test says so.
struct slow_resolver {
  http::addresses_handler answer;
  bool cancelled = false;
  http::lookup_starter start() {
    return [this](asio::any_io_executor, const std::string&, std::uint16_t,
                  http::addresses_handler handler) {
      answer = std::move(handler);
      return [this] { cancelled = true; };
    };
  }
};

/// By a book of its own.
awaitable<addresses> find(http::lookup_starter start, const std::string& host, std::uint16_t port) {
  return http::address_book::find(std::make_shared<http::address_book>(std::move(start)), host,
                                  port);
}

boost::system::error_code code_of(std::exception_ptr failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code();
  }
  return {};
}

}  // namespace

TEST_CASE("cancelling ends a lookup that does not answer, and what comes later is dropped") {
  asio::io_context context;
  slow_resolver resolver;
  asio::cancellation_signal cancel;
  std::optional<boost::system::error_code> outcome;
  asio::co_spawn(
      context, find(resolver.start(), "hub.test", 443),
      asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr failure, addresses) {
        outcome = code_of(failure);
      }));
  while (!resolver.answer) context.run_one();
  cancel.emit(asio::cancellation_type::terminal);
  while (!outcome) context.run_one();
  CHECK(*outcome == asio::error::operation_aborted);
  CHECK(resolver.cancelled);
  resolver.answer({}, {known});
}

TEST_CASE("a time limit ends a lookup that does not answer") {
  asio::io_context context;
  slow_resolver resolver;
  auto looking = io::with_timeout(find(resolver.start(), "hub.test", 443), 20ms);
  boost::system::error_code code;
  try {
    test::run(context, std::move(looking));
  } catch (const error& e) {
    code = e.code();
  }
  CHECK(code == errc::timed_out);
  CHECK(resolver.cancelled);
}

TEST_CASE("a lookup yields what the resolver says, at once or later") {
  asio::io_context context;
  for (const bool later : {false, true}) {
    CAPTURE(later);
    http::lookup_starter start = [later](asio::any_io_executor executor, const std::string& host,
                                         std::uint16_t port, http::addresses_handler handler) {
      CHECK(host == "hub.test");
      CHECK(port == 443);
      if (later)
        asio::post(executor, [handler = std::move(handler)] { handler({}, {known}); });
      else
        handler(asio::error::host_not_found, {});
      return [] { FAIL("cancelled"); };
    };
    addresses found;
    boost::system::error_code code;
    try {
      found = test::run(context, find(std::move(start), "hub.test", 443));
    } catch (const boost::system::system_error& e) {
      code = e.code();
    }
    if (later)
      CHECK(found == addresses{known});
    else
      CHECK(code == asio::error::host_not_found);
  }
}

TEST_CASE("a literal address is not looked up") {
  asio::io_context context;
  http::lookup_starter nobody = [](auto&&...) {
    FAIL("looked up");
    return http::lookup_canceller();
  };
  const auto found = test::run(context, find(std::move(nobody), "::1", 80));
  REQUIRE(found.size() == 1);
  CHECK(found[0].address() == asio::ip::make_address("::1"));
}

TEST_CASE("a host is looked up once for all who ask, and again when it is forgotten") {
  asio::io_context context;
  slow_resolver resolver;
  int lookups = 0;
  auto start = resolver.start();
  const auto book = std::make_shared<http::address_book>(
      [&](asio::any_io_executor executor, const std::string& host, std::uint16_t port,
          http::addresses_handler handler) {
        ++lookups;
        return start(std::move(executor), host, port, std::move(handler));
      });
  asio::cancellation_signal cancel;
  int found = 0;
  int failed = 0;
  const auto ask = [&](asio::cancellation_slot slot) {
    asio::co_spawn(context, http::address_book::find(book, "hub.test", 443),
                   asio::bind_cancellation_slot(slot, [&](std::exception_ptr failure, addresses) {
                     ++(failure ? failed : found);
                   }));
  };
  const auto settle = [&] {
    context.restart();
    context.poll();
  };
  ask(cancel.slot());
  ask({});
  ask({});
  settle();
  CHECK(lookups == 1);
  // Who leaves takes nobody along.
  cancel.emit(asio::cancellation_type::terminal);
  settle();
  CHECK(failed == 1);
  CHECK_FALSE(resolver.cancelled);
  resolver.answer({}, {known});
  settle();
  CHECK(found == 2);
  ask({});
  settle();
  CHECK(found == 3);
  CHECK(lookups == 1);

  book->forget("hub.test", 443);
  ask({});
  settle();
  CHECK(lookups == 2);
  resolver.answer(asio::error::host_not_found, {});
  settle();
  CHECK(failed == 2);
  ask({});  // what failed is not remembered
  settle();
  CHECK(lookups == 3);
  resolver.answer({}, {known});
  settle();
  CHECK(found == 4);
}
