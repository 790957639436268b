#include "transfer/upload_claims.hpp"

#include "support/run.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <memory>

using namespace cohub;
using transfer::upload_claims;

namespace {

struct claims_fixture {
  upload_claims::claim_ptr try_take(const std::string& key) {
    return upload_claims::try_take(claims, key, context.get_executor());
  }
  asio::io_context context;
  std::shared_ptr<upload_claims> claims = std::make_shared<upload_claims>();
};

}  // namespace

TEST_CASE_FIXTURE(claims_fixture, "one at a time has a claim, whoever waits has it next") {
  auto first = try_take("a");
  REQUIRE(first);
  CHECK_FALSE(try_take("a"));
  CHECK(try_take("b"));
  upload_claims::claim_ptr held[2];
  for (auto& each : held)
    asio::co_spawn(context, upload_claims::take(claims, "a"),
                   [&each](std::exception_ptr failure, upload_claims::claim_ptr taken) {
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
  const auto end = [&](std::exception_ptr failure, const upload_claims::claim_ptr& taken) {
    ended = true;
    CHECK(failure);
    CHECK_FALSE(taken);
  };
  asio::co_spawn(context, upload_claims::take(claims, "a"),
                 asio::bind_cancellation_slot(cancel.slot(), end));
  context.poll();
  asio::post(context, [&] { cancel.emit(asio::cancellation_type::terminal); });
  context.poll();
  CHECK(ended);
  first.reset();
  CHECK(try_take("a"));
}
