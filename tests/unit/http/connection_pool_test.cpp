#include "http/connection_pool.hpp"

#include "cohub/error.hpp"

#include "http/transport.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

using namespace std::chrono_literals;
using namespace cohub;
using test::scripted_reply;
using test::scripted_server;
using test::seen_request;

namespace {

core::origin origin_of(const scripted_server& server) {
  return core::parse_url(server.origin())->origin;
}

scripted_reply ok(const seen_request&) { return scripted_reply::text(200, "ok"); }

/// Keeps the pool, as a request does.
awaitable<http::leased_connection> acquire(std::shared_ptr<http::connection_pool> pool,
                                           core::origin where, bool fresh,
                                           std::optional<std::uint64_t> ticket = {}) {
  auto asking = pool->acquire(std::move(where), fresh, 5s, ticket);
  auto lease = co_await std::move(asking);
  co_return lease;
}

/// Somebody who asks for a connection and is told when there is one.
struct claimant {
  void ask(asio::io_context& context, std::shared_ptr<http::connection_pool> pool,
           core::origin where, bool fresh = false) {
    asio::co_spawn(
        context, acquire(std::move(pool), std::move(where), fresh),
        asio::bind_cancellation_slot(cancel.slot(), [this](std::exception_ptr failure, auto given) {
          done = true;
          failed = failure != nullptr;
          lease = std::move(given);
        }));
  }
  /// Whether there is one once the context has done all that it can.
  bool served(asio::io_context& context) {
    context.restart();
    context.poll();
    return done && !failed;
  }

  asio::cancellation_signal cancel;
  http::leased_connection lease;
  bool done = false;
  bool failed = false;
};

struct pool_fixture {
  asio::io_context context;
  scripted_server server{context, ok};
  scripted_server other{context, ok};

  std::shared_ptr<http::connection_pool> pool(std::size_t each, std::size_t all,
                                              std::chrono::milliseconds idle = 30s) {
    http::pool_limits limits;
    limits.each_origin = each;
    limits.all_origins = all;
    limits.idle_lifetime = idle;
    return std::make_shared<http::connection_pool>(limits, nullptr);
  }
  http::leased_connection lease(std::shared_ptr<http::connection_pool> of,
                                const scripted_server& to) {
    return test::run(context, acquire(of, origin_of(to), false));
  }
};

}  // namespace

TEST_CASE("two that ask again and again do not keep a third from its turn") {
  asio::io_context context;
  scripted_server server(context, ok);
  http::transport_config config;
  config.max_connections = 1;
  http::transport transport(context.get_executor(), config);
  const auto send = [&](std::string path) -> awaitable<void> {
    http::request what;
    what.url = core::parse_url(server.origin() + path).value();
    auto answer = co_await transport.send(std::move(what));
    co_await answer.read_all();
  };
  bool enough = false;
  int running = 0;
  const auto ask_for_ever = [&]() -> awaitable<void> {
    ++running;
    for (int i = 0; i < 500 && !enough; ++i) co_await send("/loop");
    --running;
  };
  for (int i = 0; i < 2; ++i) asio::co_spawn(context, ask_for_ever(), [](std::exception_ptr) {});
  while (server.seen().size() < 10) context.run_one();
  const auto before = server.seen().size();
  test::run(context, send("/late"));
  enough = true;
  const auto& seen = server.seen();
  const auto late = std::find_if(seen.begin(), seen.end(), [](const seen_request& request) {
    return request.line.starts_with("GET /late ");
  });
  CHECK(static_cast<std::size_t>(late - seen.begin()) <= before + 2);
  while (running > 0) context.run_one();
  CHECK(server.connections() == 1);
}

TEST_CASE_FIXTURE(pool_fixture, "a connection goes straight to who has waited longest") {
  const auto one = pool(1, 10);
  auto held = lease(one, server);
  claimant first;
  claimant second;
  first.ask(context, one, origin_of(server));
  second.ask(context, one, origin_of(server));
  CHECK_FALSE(first.served(context));
  held.give_back();
  claimant late;  // comes before the first has even woken up
  late.ask(context, one, origin_of(server));
  CHECK(first.served(context));
  CHECK(first.lease.reused());
  CHECK_FALSE(second.served(context));
  first.lease.give_back();
  CHECK(second.served(context));
  CHECK_FALSE(late.served(context));
  second.lease.give_back();
  CHECK(late.served(context));
  CHECK(server.connections() == 1);
}

TEST_CASE_FIXTURE(pool_fixture, "what was given to one that is cancelled goes to the next") {
  const auto one = pool(1, 10);
  auto held = lease(one, server);
  claimant first;
  claimant second;
  first.ask(context, one, origin_of(server));
  second.ask(context, one, origin_of(server));
  CHECK_FALSE(second.served(context));
  SUBCASE("a connection") {
    first.cancel.emit(asio::cancellation_type::terminal);
    held.give_back();  // before the cancellation has got through
    CHECK(second.served(context));
    CHECK(second.lease.reused());
  }
  SUBCASE("the right to open one") {
    first.cancel.emit(asio::cancellation_type::terminal);
    held = http::leased_connection();
    while (!second.done) context.run_one();
    CHECK_FALSE(second.lease.reused());
  }
  SUBCASE("nothing yet") {
    first.cancel.emit(asio::cancellation_type::terminal);
    CHECK_FALSE(second.served(context));
    held.give_back();
    CHECK(second.served(context));
  }
  CHECK(first.failed);
  CHECK(one->open_connections() == 1);
}

TEST_CASE_FIXTURE(pool_fixture, "who needs a new connection instead keeps the place in line") {
  const auto one = pool(1, 10);
  auto held = lease(one, server);
  const auto ticket = held.ticket();
  claimant waiting;
  waiting.ask(context, one, origin_of(server));
  claimant also;
  also.ask(context, one, origin_of(server));
  CHECK_FALSE(waiting.served(context));
  held.give_back();
  CHECK(waiting.served(context));
  std::optional<bool> reused;
  asio::co_spawn(context, acquire(one, origin_of(server), true, ticket),
                 [&](std::exception_ptr, http::leased_connection got) { reused = got.reused(); });
  CHECK_FALSE(also.served(context));
  waiting.lease.give_back();
  while (!reused) context.run_one();
  CHECK(*reused == false);
  while (!also.done) context.run_one();
  CHECK(one->open_connections() == 1);
}

TEST_CASE_FIXTURE(pool_fixture, "the bound over all origins closes what was idle longest") {
  scripted_server third(context, ok);
  const auto few = pool(2, 2);
  lease(few, server).give_back();
  lease(few, other).give_back();
  lease(few, server).give_back();  // so that the other one has been idle longest
  CHECK(few->open_connections() == 2);
  lease(few, third).give_back();
  CHECK(few->open_connections() == 2);
  CHECK(lease(few, server).reused());
  CHECK_FALSE(lease(few, other).reused());
}

TEST_CASE_FIXTURE(pool_fixture,
                  "one origin waits for another where the bound over all is reached") {
  const auto few = pool(2, 2);
  auto one = lease(few, server);
  auto two = lease(few, server);
  claimant abroad;
  claimant at_home;
  abroad.ask(context, few, origin_of(other));
  at_home.ask(context, few, origin_of(server));
  CHECK_FALSE(abroad.served(context));
  one.give_back();  // is of no use to who came first, and makes way
  while (!abroad.done) context.run_one();
  CHECK_FALSE(at_home.served(context));
  CHECK(few->open_connections() == 2);
  two.give_back();
  CHECK(at_home.served(context));
}

TEST_CASE_FIXTURE(pool_fixture, "what has been idle for too long is closed when any is used") {
  const auto short_lived = pool(2, 10, 0ms);
  lease(short_lived, server).give_back();
  CHECK(short_lived->open_connections() == 1);
  const auto held = lease(short_lived, other);
  CHECK(short_lived->open_connections() == 1);
}
