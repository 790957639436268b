#include "transfer/download/content_turns.hpp"

#include "support/run.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using namespace cohub;
using transfer::content_turns;

namespace {

struct turns_fixture {
  /// As many turns as are to be had.
  std::vector<content_turns::turn> take_all() {
    std::vector<content_turns::turn> taken;
    while (auto turn = content_turns::try_take(turns)) taken.push_back(std::move(*turn));
    return taken;
  }
  void answer(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) turns->answered();
  }

  std::shared_ptr<content_turns> turns = std::make_shared<content_turns>(16);
};

}  // namespace

TEST_CASE_FIXTURE(turns_fixture, "a refusal leaves most of what was out, once for one burst") {
  auto taken = take_all();
  REQUIRE(taken.size() == 16);
  turns->refused(taken[0]);
  turns->refused(taken[1]);
  CHECK(turns->allowed() == 12);
  taken.resize(12);
  CHECK_FALSE(content_turns::try_take(turns));
  turns->refused(taken[2]);  // of the same burst still
  CHECK(turns->allowed() == 12);
  taken.resize(4);
  auto next = content_turns::try_take(turns);
  REQUIRE(next);
  turns->refused(*next);
  CHECK(turns->allowed() == 3);  // of the five that were out
  turns->refused(content_turns::turn());
  CHECK(turns->allowed() == 3);
}

TEST_CASE_FIXTURE(turns_fixture, "each round of answers brings one more, up to all") {
  for (int i = 0; i < 8; ++i) turns->refused(*content_turns::try_take(turns));
  CHECK(turns->allowed() == 1);
  answer(1);
  CHECK(turns->allowed() == 2);
  answer(1);
  CHECK(turns->allowed() == 2);
  answer(1);
  CHECK(turns->allowed() == 3);
  answer(1'000);
  CHECK(turns->allowed() == 16);
  CHECK(take_all().size() == 16);
}

TEST_CASE_FIXTURE(turns_fixture, "who waits goes when there is room again") {
  asio::io_context context;
  auto taken = take_all();
  turns->refused(taken[0]);
  bool went = false;
  asio::co_spawn(context, content_turns::take(turns),
                 [&](std::exception_ptr, content_turns::turn) { went = true; });
  taken.resize(12);
  context.poll();
  CHECK_FALSE(went);
  answer(12);
  context.restart();
  context.poll();
  CHECK(went);
}
