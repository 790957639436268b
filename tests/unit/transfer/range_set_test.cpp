#include "transfer/download/range_set.hpp"

#include <doctest/doctest.h>

using cohub::core::byte_range;
using cohub::transfer::range_set;
using ranges = std::vector<byte_range>;

TEST_CASE("ranges that overlap or touch become one") {
  range_set set;
  set.add({10, 20});
  set.add({30, 40});
  set.add({20, 25});
  CHECK(set.ranges() == ranges{{10, 25}, {30, 40}});
  set.add({24, 31});
  CHECK(set.ranges() == ranges{{10, 40}});
  set.add({0, 100});
  CHECK(set.ranges() == ranges{{0, 100}});
  set.add({50, 60});
  set.add({7, 7});
  CHECK(set.ranges() == ranges{{0, 100}});
  CHECK(set.count() == 100);
}

TEST_CASE("order of adding does not matter") {
  range_set set;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto at = (i * 37) % 100;
    set.add({at, at + 1});
  }
  CHECK(set.ranges() == ranges{{0, 100}});
}

TEST_CASE("the run from a byte ends at the first gap") {
  range_set set;
  CHECK(set.end_of_run(0) == 0);
  set.add({5, 10});
  CHECK(set.end_of_run(0) == 0);
  set.add({0, 4});
  CHECK(set.end_of_run(0) == 4);
  CHECK(set.end_of_run(7) == 10);
  CHECK(set.end_of_run(10) == 10);
  set.add({4, 5});
  CHECK(set.end_of_run(0) == 10);
}

TEST_CASE("what is missing is everything else") {
  range_set set;
  CHECK(set.missing({0, 10}) == ranges{{0, 10}});
  CHECK(set.missing({0, 0}).empty());
  set.add({2, 4});
  set.add({8, 10});
  CHECK(set.missing({0, 10}) == ranges{{0, 2}, {4, 8}});
  CHECK(set.missing({0, 12}) == ranges{{0, 2}, {4, 8}, {10, 12}});
  CHECK(set.missing({0, 3}) == ranges{{0, 2}});
  CHECK(set.missing({3, 9}) == ranges{{4, 8}});
  CHECK(set.missing({2, 4}).empty());
  CHECK(set.missing({5, 6}) == ranges{{5, 6}});
  CHECK(set.missing({9, 20}) == ranges{{10, 20}});
  set.clear();
  CHECK(set.empty());
}
