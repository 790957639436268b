#include "transfer/range_plan.hpp"

#include <doctest/doctest.h>

using cohub::core::byte_range;
using cohub::transfer::range_plan;
using cohub::transfer::range_set;

namespace {

std::vector<byte_range> take_all(range_plan& plan) {
  std::vector<byte_range> pieces;
  while (const auto piece = plan.take()) pieces.push_back(*piece);
  return pieces;
}

}  // namespace

TEST_CASE("a new file is cut into chunks, front first, the last one shorter") {
  range_plan plan({}, 25, 10);
  CHECK(plan.pieces_left() == 3);
  CHECK(take_all(plan) == std::vector<byte_range>{{0, 10}, {10, 20}, {20, 25}});
  CHECK(plan.pieces_left() == 0);
}

TEST_CASE("what is on disk is not asked for again") {
  range_set done;
  done.add({0, 12});
  done.add({15, 30});
  range_plan plan(done, 45, 10);
  CHECK(plan.pieces_left() == 3);
  CHECK(take_all(plan) == std::vector<byte_range>{{12, 15}, {30, 40}, {40, 45}});
}

TEST_CASE("a complete file leaves nothing to do") {
  range_set done;
  done.add({0, 45});
  range_plan plan(done, 45, 10);
  CHECK(plan.pieces_left() == 0);
  CHECK_FALSE(plan.take().has_value());
}

TEST_CASE("a range that is given back is the next in its place") {
  range_plan plan({}, 30, 10);
  plan.take();
  plan.take();
  plan.give_back({4, 10});
  plan.give_back({5, 5});
  CHECK(take_all(plan) == std::vector<byte_range>{{4, 10}, {20, 30}});
}
