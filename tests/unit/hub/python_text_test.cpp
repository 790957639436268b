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

TEST_CASE("what is not printable is escaped as Python's repr does") {
  const std::pair<const char*, const char*> cases[] = {
      {"\u001f~\u007f", R"('\x1f~\x7f')"},
      {"\u0080\u0085\u00a0", R"('\x80\x85\xa0')"},
      {"\u00ad", R"('\xad')"},
      {"\u1680\u2003\u200b\u200d\u202e", R"('\u1680\u2003\u200b\u200d\u202e')"},
      {"\u2028\u2029\u3000\ufeff", R"('\u2028\u2029\u3000\ufeff')"},
      {"\ue000\uffff", R"('\ue000\uffff')"},
      {"\U000e0041\U000f0000", R"('\U000e0041\U000f0000')"},
      {"\U0010ffff", R"('\U0010ffff')"},
      {"a b\u00a1\u00ff\u0301\u4e00\U0001F381", "'a b\u00a1\u00ff\u0301\u4e00\U0001F381'"}};
  for (const auto& [text, quoted] : cases) CHECK(hub::python_quoted(text) == quoted);
  CHECK(hub::python_text(card_map{{"\u00a0", card_list{"\u200b"}}}) == R"({'\xa0': ['\u200b']})");
}

TEST_CASE("text is written to JSON as Python writes it") {
  CHECK(hub::python_json_string("a\"b\\c/d") == R"("a\"b\\c/d")");
  CHECK(hub::python_json_string("\n\r\t\b\f\x01\x7f") == R"("\n\r\t\b\f\u0001\u007f")");
  CHECK(hub::python_json_string("\xc3\xa9\xf0\x9f\x98\x80") == R"("\u00e9\ud83d\ude00")");
  CHECK(hub::python_json_string("") == "\"\"");
  CHECK_FALSE(hub::python_json_string("\xff").has_value());
}
