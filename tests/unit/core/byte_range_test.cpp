#include "core/byte_range.hpp"

#include <doctest/doctest.h>

using namespace cohub::core;

TEST_CASE("a range is sent with its last byte") {
  CHECK(range_header({0, 100}) == "bytes=0-99");
  CHECK(range_header({10, 11}) == "bytes=10-10");
}

TEST_CASE("Content-Range is read as it is, or not at all") {
  const auto part = parse_content_range("bytes 10-19/100");
  REQUIRE(part);
  CHECK(part->range == byte_range{10, 20});
  CHECK(part->total == 100);
  const auto open = parse_content_range("bytes 0-0/*");
  REQUIRE(open);
  CHECK(open->range == byte_range{0, 1});
  CHECK_FALSE(open->total);
  const auto out_of_bounds = parse_content_range("bytes */10");
  REQUIRE(out_of_bounds);
  CHECK_FALSE(out_of_bounds->range);
  CHECK(out_of_bounds->total == 10);
  for (const char* text :
       {"", "bytes", "bytes 1-2", "bytes 2-1/10", "bytes 0-10/10", "bytes -1/10", "items 0-1/2",
        "bytes 0-18446744073709551615/*", "bytes 0-99999999999999999999/*", "bytes a-b/c",
        "bytes +1-2/3", "bytes 1 -2/3"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_content_range(text));
  }
}

TEST_CASE("a Range header selects one part, the whole, or nothing") {
  using outcome = requested_range::outcome;
  struct {
    const char* text;
    outcome what;
    byte_range range;
  } const cases[] = {
      {"bytes=0-0", outcome::part, {0, 1}},
      {"bytes=5-", outcome::part, {5, 10}},
      {"bytes=-3", outcome::part, {7, 10}},
      {"bytes=-30", outcome::part, {0, 10}},
      {"bytes=2-100", outcome::part, {2, 10}},
      {"BYTES = 5 - 6", outcome::part, {5, 7}},
      {"bytes=10-", outcome::unsatisfiable, {}},
      {"bytes=-0", outcome::unsatisfiable, {}},
      {"", outcome::whole, {0, 10}},
      {"bytes=-", outcome::whole, {0, 10}},
      {"bytes=0-1,3-4", outcome::whole, {0, 10}},
      {"bytes=3-2", outcome::whole, {0, 10}},
      {"invalid", outcome::whole, {0, 10}},
      {"bytes=x-1", outcome::whole, {0, 10}},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    const auto range = parse_range_header(c.text, 10);
    CHECK(range.what == c.what);
    if (c.what != outcome::unsatisfiable) CHECK(range.range == c.range);
  }
}

TEST_CASE("numbers beyond all files select what there is") {
  const auto clamped = parse_range_header("bytes=2-99999999999999999999999", 10);
  CHECK(clamped.what == requested_range::outcome::part);
  CHECK(clamped.range == byte_range{2, 10});
  CHECK(parse_range_header("bytes=-99999999999999999999999", 10).range == byte_range{0, 10});
  CHECK(parse_range_header("bytes=99999999999999999999999-", 10).what ==
        requested_range::outcome::unsatisfiable);
}

TEST_CASE("decimals are digits and nothing else") {
  CHECK(parse_decimal("18446744073709551615") == 18446744073709551615u);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "1e3"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_decimal(text));
  }
}
