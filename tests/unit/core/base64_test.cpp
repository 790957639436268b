#include "core/base64.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cohub::core;

TEST_CASE("the standard vectors of base64, both ways") {
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) {
    CAPTURE(bytes);
    CHECK(base64_encode(bytes) == text);
    CHECK(base64_decode(text) == bytes);
    CHECK(base64_length(bytes.size()) == text.size());
  }
}

TEST_CASE("pieces whose length is a multiple of three join") {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += static_cast<char>(i * 7);
  CHECK(base64_encode(bytes.substr(0, 300)) + base64_encode(bytes.substr(300)) ==
        base64_encode(bytes));
  CHECK(base64_decode(base64_encode(bytes)) == bytes);
}

TEST_CASE("what is not base64 is refused") {
  for (const char* text :
       {"A", "AA", "AAA", "AA=A", "=AAA", "A===", "AA A", "AA-_", "AAA\n", "===="}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text));
  }
  CHECK_FALSE(base64_decode(std::string_view("AA\0=", 4)));
}

TEST_CASE("the url-safe alphabet has no characters that need escapes") {
  CHECK(base64url_encode("\xfb\xff\xfe") == "-__-");
}
