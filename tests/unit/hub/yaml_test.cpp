#include "hub/yaml.hpp"

#include "cohub/error.hpp"

#include "hub/yaml_scalar.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

using namespace cohub;

namespace {

std::string emitted(const card_value& value) {
  card_map map;
  map["k"] = value;
  auto text = hub::write_yaml(map);
  text.pop_back();
  return text.starts_with("k: ") ? text.substr(3) : text;
}

card_value read(std::string_view text) { return hub::read_yaml(text, "card"); }

/// Reads and writes again.
std::string again(std::string_view text) { return hub::write_yaml(read(text).as_map()); }

}  // namespace

TEST_CASE("texts are quoted where they would be read as something else") {
  const std::pair<const char*, const char*> cases[] = {{"no", "'no'"},
                                                       {"y", "y"},
                                                       {"1234567", "'1234567'"},
                                                       {"12e4567", "12e4567"},
                                                       {"3.50", "'3.50'"},
                                                       {"n<1K", "n<1K"},
                                                       {"arxiv:1234.56789", "arxiv:1234.56789"},
                                                       {"@handle", "'@handle'"},
                                                       {"a: b", "'a: b'"},
                                                       {"a:b", "a:b"},
                                                       {"a #b", "'a #b'"},
                                                       {"-a", "-a"},
                                                       {"- a", "'- a'"},
                                                       {"?a", "?a"},
                                                       {"[MASK]", "'[MASK]'"},
                                                       {"it's", "it's"},
                                                       {"'q'", "'''q'''"},
                                                       {"a\tb", "\"a\\tb\""},
                                                       {"", "''"},
                                                       {"0o7", "0o7"},
                                                       {"007", "'007'"},
                                                       {"2024-01-01", "'2024-01-01'"},
                                                       {"20.0 ± 1.2", "20.0 ± 1.2"},
                                                       {"🎁", "🎁"},
                                                       {"🎁\tx", "\"\\U0001F381\\tx\""},
                                                       {"1e-5", "1e-5"},
                                                       {"multi\nline", "'multi\n\n  line'"},
                                                       {"On", "'On'"},
                                                       {"oN", "oN"},
                                                       {"~", "'~'"},
                                                       {"12:30", "'12:30'"},
                                                       {"1_000", "'1_000'"},
                                                       {"0x1F", "'0x1F'"},
                                                       {".inf", "'.inf'"},
                                                       {"=", "'='"},
                                                       {"<<", "'<<'"},
                                                       {"a:", "'a:'"},
                                                       {"#a", "'#a'"},
                                                       {"---", "'---'"},
                                                       {" a", "' a'"},
                                                       {"a ", "'a '"},
                                                       {"日本か", "日本か"},
                                                       {"a \nb", "\"a \\nb\""},
                                                       {"\\", "\\"},
                                                       {"a\"b", "a\"b"},
                                                       {"\x7f", "\"\\x7F\""},
                                                       {"\xef\xbb\xbf", "\"\\uFEFF\""}};
  for (const auto& [text, expected] : cases) CHECK(emitted(text) == expected);
}

TEST_CASE("numbers, constants and empty containers are written as PyYAML does") {
  CHECK(emitted(1e-5) == "1.0e-05");
  CHECK(emitted(1e16) == "1.0e+16");
  CHECK(emitted(1.5e16) == "1.5e+16");
  CHECK(emitted(3.5) == "3.5");
  CHECK(emitted(1.0) == "1.0");
  CHECK(emitted(std::numeric_limits<double>::infinity()) == ".inf");
  CHECK(emitted(-std::numeric_limits<double>::infinity()) == "-.inf");
  CHECK(emitted(std::nan("")) == ".nan");
  CHECK(emitted(nullptr) == "null");
  CHECK(emitted(true) == "true");
  CHECK(emitted(-7) == "-7");
  CHECK(emitted(card_list{}) == "[]");
  CHECK(emitted(card_map{}) == "{}");
  CHECK(hub::write_yaml({}) == "{}\n");
}

TEST_CASE("lists and maps are nested as PyYAML nests them") {
  card_map widget;
  widget["widget"] = card_list{card_map{{"text", "a"}, {"example_title", "b: c"}}};
  CHECK(hub::write_yaml(widget) == "widget:\n- text: a\n  example_title: 'b: c'\n");
  card_map lists;
  lists["l"] = card_list{card_list{1, 2}, card_list{"a"}};
  CHECK(hub::write_yaml(lists) == "l:\n- - 1\n  - 2\n- - a\n");
  card_map deep;
  deep["a"] = card_map{{"b", card_map{{"c", card_list{card_map{{"d", 1}, {"e", card_list{2}}}}}}}};
  CHECK(hub::write_yaml(deep) == "a:\n  b:\n    c:\n    - d: 1\n      e:\n      - 2\n");
}

TEST_CASE("long text is folded after column 80, and not inside runs of spaces") {
  std::string words;
  for (int i = 0; i < 20; ++i) words += "word ";
  card_map map;
  map["x"] = words + "end";
  const auto text = hub::write_yaml(map);
  const auto first = text.find('\n');
  CHECK(first == 82);
  CHECK(text.substr(first + 1) == "  word word word word end\n");
  CHECK(read(text).as_map().text_or("x") == words + "end");
}

TEST_CASE("keys that do not fit on a line get a line of their own") {
  card_map map;
  map[std::string(123, 'k')] = 1;
  map[""] = 2;
  CHECK(hub::write_yaml(map) == "? " + std::string(123, 'k') + "\n: 1\n? ''\n: 2\n");
}

TEST_CASE("untouched scalars keep their spelling, and languages stay text") {
  const std::string text =
      "python_version: 3.10\nsdk_version: 4.40\na: 0012345\nb: 12:30\nc: 1_000\nd: 0x1F\ne: "
      "2024-01-01\n"
      "f: ~\ng: True\n";
  CHECK(again(text) == text);
  const auto map =
      read("language: no\na: 0x1F\nb: 010\nc: 12:30\nd: 1_000.5\ne: 99999999999999999999\n");
  CHECK(map.as_map().text_or("language") == "no");
  CHECK(map.as_map().find("a")->as_integer() == 31);
  CHECK(map.as_map().find("b")->as_integer() == 8);
  CHECK(map.as_map().find("c")->as_integer() == 750);
  CHECK(map.as_map().find("d")->as_real() == 1000.5);
  CHECK(map.as_map().find("e")->source() == "99999999999999999999");
  const auto ends =
      read("a: -9223372036854775808\nb: 9223372036854775807\nc: 9223372036854775808\n");
  CHECK(ends.as_map().find("a")->as_integer() == std::numeric_limits<std::int64_t>::min());
  CHECK(ends.as_map().find("b")->as_integer() == std::numeric_limits<std::int64_t>::max());
  CHECK(ends.as_map().find("c")->source() == "9223372036854775808");
  CHECK(again("language: no\n") == "language: 'no'\n");
}

TEST_CASE(
    "the last of equal keys wins at the place of the first, anchors are copied, merges merged") {
  CHECK(again("a: 1\nb: 2\na: 3\n") == "a: 3\nb: 2\n");
  CHECK(again("a: &x [1, 2]\nb: *x\n") == "a:\n- 1\n- 2\nb:\n- 1\n- 2\n");
  CHECK(again("d: &d {x: 1, y: 2}\ne:\n  <<: *d\n  y: 3\n") ==
        "d:\n  x: 1\n  y: 2\ne:\n  y: 3\n  x: 1\n");
}

TEST_CASE("what is no YAML, or too much of it, is refused with its line") {
  CHECK_THROWS_WITH_AS(hub::read_yaml("a: 1\nb: [1,\n", "card", 2),
                       doctest::Contains("card, line 4"), error);
  CHECK_THROWS_AS(read("a: *unknown\n"), error);
  CHECK_THROWS_AS(read("a: !!python/object:os.system {}\n"), error);
  CHECK_THROWS_AS(read("a: !!int x\n"), error);
  CHECK_THROWS_AS(read("? [a]\n: 1\n"), error);
  CHECK_THROWS_AS(read("a: 1\n---\nb: 2\n"), error);
  CHECK_THROWS_WITH_AS(read(std::string(500, '[')), doctest::Contains("deep"), error);
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const auto name = std::to_string(i);
    const auto last = "*a" + std::to_string(i - 1);
    bomb += "a" + name + ": &a" + name + " [" + last;
    for (int j = 0; j < 9; ++j) bomb += ", " + last;
    bomb += "]\n";
  }
  CHECK_THROWS_WITH_AS(read(bomb), doctest::Contains("too much"), error);
}

TEST_CASE("what anchors inside one another keep counts for each of them") {
  const std::string text(2'000'000, 'x');
  const auto nested = [&text](int depth) {
    std::string yaml = "a: ";
    for (int i = 0; i < depth; ++i) yaml += "&a" + std::to_string(i) + " [";
    yaml += text;
    yaml.append(static_cast<std::size_t>(depth), ']');
    return yaml + "\n";
  };
  CHECK(read(nested(3)).as_map().contains("a"));
  CHECK_THROWS_WITH_AS(read(nested(40)), doctest::Contains("too much"), error);
}
