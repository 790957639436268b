#include "hub/card_comparison.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

using namespace cohub;
using hub::comparison;

namespace {

const double none = std::nan("");

bool are_written_alike(const card_value& a, const card_value& b) {
  return hub::are_same(a, b, comparison::written);
}

}  // namespace

TEST_CASE("what is written alike is of one kind, and not a number is itself") {
  CHECK(are_written_alike(none, none));
  CHECK(are_written_alike(card_map{{"a", card_list{none}}, {"b", 1}},
                          card_map{{"b", 1}, {"a", card_list{none}}}));
  CHECK_FALSE(are_written_alike(none, 1.0));
  CHECK_FALSE(are_written_alike(1, 1.0));
  CHECK_FALSE(are_written_alike(true, 1));
  CHECK_FALSE(are_written_alike(card_list{1}, card_list{1, 2}));
  CHECK_FALSE(are_written_alike(card_map{{"a", 1}}, card_map{{"b", 1}}));
  CHECK(are_written_alike(card_value::spelled(1, "0x1"), 1));
}

TEST_CASE("what is measured alike may be an integer or real, if it is the very number") {
  const auto are_alike = [](const card_value& a, const card_value& b) {
    return hub::are_same(a, b, comparison::measured) && hub::are_same(b, a, comparison::measured);
  };
  CHECK(are_alike(1, 1.0));
  CHECK(are_alike(card_list{1, card_map{{"a", 2.0}}}, card_list{1.0, card_map{{"a", 2}}}));
  CHECK(are_alike(none, none));
  CHECK(are_alike(INT64_MIN, -0x1p63));
  CHECK_FALSE(are_alike(1, 1.5));
  CHECK_FALSE(are_alike(1, none));
  CHECK_FALSE(are_alike(INT64_MAX, 0x1p63));
  CHECK_FALSE(are_alike((std::int64_t{1} << 53) + 1, 0x1p53));
  CHECK_FALSE(are_alike(true, 1));
  CHECK_FALSE(are_alike("1", 1));
}

TEST_CASE("Python takes true for one and false for zero, and no NaN for another") {
  const auto are_equal = [](const card_value& a, const card_value& b) {
    return hub::are_same(a, b, comparison::python) && hub::are_same(b, a, comparison::python);
  };
  CHECK(are_equal(true, 1));
  CHECK(are_equal(false, 0.0));
  CHECK(are_equal(card_list{card_list{true}, 2}, card_list{card_list{1.0}, 2.0}));
  CHECK(are_equal(card_map{{"a", true}}, card_map{{"a", 1}}));
  CHECK(are_equal(nullptr, nullptr));
  CHECK_FALSE(are_equal(true, 2));
  CHECK_FALSE(are_equal(true, "True"));
  CHECK_FALSE(are_equal(false, nullptr));
  CHECK_FALSE(are_equal(none, none));
}
