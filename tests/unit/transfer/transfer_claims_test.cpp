#include "transfer/transfer_claims.hpp"

#include "support/run.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace cohub;
using transfer::transfer_claims;

namespace {

struct claims_fixture {
  transfer_claims::claim_ptr try_take(const std::string& key) {
    return transfer_claims::try_take(claims, key);
  }
  asio::io_context context;
  std::shared_ptr<transfer_claims> claims = std::make_shared<transfer_claims>();
};

}  // namespace

TEST_CASE_FIXTURE(claims_fixture, "one at a time has a claim, whoever waits has it next") {
  auto first = try_take("a");
  REQUIRE(first);
  CHECK_FALSE(try_take("a"));
  CHECK(try_take("b"));
  transfer_claims::claim_ptr held[2];
  for (auto& each : held)
    asio::co_spawn(context, transfer_claims::take(claims, "a"),
                   [&each](std::exception_ptr failure, transfer_claims::claim_ptr taken) {
                     CHECK_FALSE(failure);
                     each = std::move(taken);
                   });
  context.poll();
  CHECK_FALSE(held[0]);
  first.reset();
  context.poll();
  CHECK((held[0] != nullptr) != (held[1] != nullptr));
  for (auto& each : held) each.reset();
  context.poll();
  CHECK((held[0] != nullptr) != (held[1] != nullptr));
  for (auto& each : held) each.reset();
  CHECK(try_take("a"));
}

TEST_CASE_FIXTURE(claims_fixture, "who is cancelled while it waits takes nothing") {
  auto first = try_take("a");
  asio::cancellation_signal cancel;
  bool ended = false;
  const auto end = [&](std::exception_ptr failure, const transfer_claims::claim_ptr& taken) {
    ended = true;
    CHECK(failure);
    CHECK_FALSE(taken);
  };
  asio::co_spawn(context, transfer_claims::take(claims, "a"),
                 asio::bind_cancellation_slot(cancel.slot(), end));
  context.poll();
  asio::post(context, [&] { cancel.emit(asio::cancellation_type::terminal); });
  context.poll();
  CHECK(ended);
  first.reset();
  CHECK(try_take("a"));
}

TEST_CASE_FIXTURE(claims_fixture, "what has arrived is remembered, and by whom it was not seen") {
  const auto bring = [this](const std::string& key) {
    const auto mine = try_take(key);
    REQUIRE(mine);
    transfer_claims::arrived(*mine);
  };
  const auto before = claims->arrivals();
  CHECK_FALSE(claims->may_have_arrived_since(before, "a"));
  bring("a");
  CHECK(try_take("a"));
  const auto after = claims->arrivals();
  CHECK(claims->may_have_arrived_since(before, "a"));
  CHECK_FALSE(claims->may_have_arrived_since(after, "a"));
  CHECK_FALSE(claims->may_have_arrived_since(before, "b"));
  for (int i = 0; i < 5000; ++i) bring("other " + std::to_string(i));
  bring("a");
  for (int i = 0; i < 5000; ++i) bring("another " + std::to_string(i));
  CHECK(claims->may_have_arrived_since(after, "a"));  // that of the second time
  for (int i = 0; i < 5000; ++i) bring("yet another " + std::to_string(i));
  CHECK_FALSE(claims->may_have_arrived_since(before, "a"));  // too long ago
}
