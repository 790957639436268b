#include "hub/python_text.hpp"

#include <doctest/doctest.h>

using namespace cohub;

TEST_CASE("floats are written as Python's repr does") {
  const std::pair<double, const char*> cases[] = {{1.0, "1.0"},
                                                  {-0.0, "-0.0"},
                                                  {0.1, "0.1"},
                                                  {1e-5, "1e-05"},
                                                  {1e-4, "0.0001"},
                                                  {1e16, "1e+16"},
                                                  {1e15, "1000000000000000.0"},
                                                  {512, "512.0"},
                                                  {1.5e300, "1.5e+300"},
                                                  {123456.789, "123456.789"},
                                                  {5e-324, "5e-324"},
                                                  {1.25e-7, "1.25e-07"},
                                                  {9007199254740993.0, "9007199254740992.0"},
                                                  {-2.5, "-2.5"}};
  for (const auto& [value, text] : cases) CHECK(hub::python_float(value) == text);
}

TEST_CASE("values are written as Python's str does") {
  const auto text = [](const card_value& value) { return hub::python_text(value); };
  CHECK(text(nullptr) == "None");
  CHECK(text(true) == "True");
  CHECK(text(card_list{"en", "it's"}) == "['en', \"it's\"]");
  CHECK(text(card_map{{"a", 1}, {"b", card_list{}}}) == "{'a': 1, 'b': []}");
  CHECK(text(card_list{"\n\t\\"}) == R"(['\n\t\\'])");
  CHECK(text("plain 'text'") == "plain 'text'");
}
