#include "core/ascii.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cohub;

TEST_CASE("each byte is of the classes of ASCII that it is in, and of no other") {
  std::string digits;
  std::string hex;
  std::string letters;
  std::string changed;
  for (int code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    if (core::is_digit(c)) digits += c;
    if (core::is_hex_digit(c)) hex += c;
    if (core::is_letter(c)) letters += c;
    if (core::lower(c) != c) changed += c;
    CHECK(core::is_alphanumeric(c) == (core::is_letter(c) || core::is_digit(c)));
  }
  const std::string upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  CHECK(digits == "0123456789");
  CHECK(hex == "0123456789ABCDEFabcdef");
  CHECK(letters == upper + "abcdefghijklmnopqrstuvwxyz");
  CHECK(changed == upper);
  CHECK(core::hex_value('0') == 0);
  CHECK(core::hex_value('f') == 15);
  CHECK(core::hex_value('F') == 15);
  CHECK(core::hex_value('g') == -1);
}

TEST_CASE("texts are compared and lowered in ASCII alone") {
  CHECK(core::lower("ABC-xyz[`{\xc3\x84") == "abc-xyz[`{\xc3\x84");
  CHECK(core::equal_without_case("", ""));
  CHECK(core::equal_without_case("Content-TYPE", "content-type"));
  CHECK_FALSE(core::equal_without_case("a", "ab"));
  CHECK_FALSE(core::equal_without_case("[", "{"));
  CHECK_FALSE(core::equal_without_case("\xc3\x84", "\xc3\xa4"));
}
