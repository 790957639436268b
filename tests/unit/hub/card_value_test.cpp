#include "cohub/card_value.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

using namespace cohub;

TEST_CASE("maps are equal in any order") {
  const card_map a{{"x", 1}, {"y", card_list{"a"}}, {"z", card_map{{"k", 1}, {"l", 2}}}};
  CHECK(a == card_map{{"x", 1}, {"y", card_list{"a"}}, {"z", card_map{{"k", 1}, {"l", 2}}}});
  CHECK(a == card_map{{"z", card_map{{"l", 2}, {"k", 1}}}, {"x", 1}, {"y", card_list{"a"}}});
  CHECK_FALSE(a == card_map{{"x", 1}, {"y", card_list{"a"}}});
  CHECK_FALSE(a == card_map{{"x", 1}, {"y", card_list{"a"}}, {"z", card_map{{"k", 1}}}});
  CHECK_FALSE(a == card_map{{"w", 1}, {"y", card_list{"a"}}, {"z", card_map{{"k", 1}, {"l", 2}}}});
  CHECK_FALSE(a == card_map{{"y", card_list{"b"}}, {"x", 1}, {"z", card_map{{"k", 1}, {"l", 2}}}});
  CHECK(card_map() == card_map());
}

TEST_CASE("maps of very many keys are compared in no time") {
  constexpr int count = 100'000;
  card_map forth, back;
  for (int i = 0; i < count; ++i) {
    forth.append("key" + std::to_string(i), i);
    back.append("key" + std::to_string(count - 1 - i), count - 1 - i);
  }
  const auto begin = std::chrono::steady_clock::now();
  CHECK(forth == forth);
  CHECK(forth == back);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));  // minutes, one by one
}

TEST_CASE("an integer that does not fit is refused") {
  CHECK(card_value(std::uint64_t{7}).as_integer() == 7);
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  CHECK(card_value(static_cast<std::uint64_t>(largest)).as_integer() == largest);
  const auto make = [] { return card_value(std::numeric_limits<std::uint64_t>::max()); };
  CHECK_THROWS_AS(make(), error);
}
