#include "core/digest.hpp"

#include "core/base64.hpp"
#include "core/hex.hpp"
#include "support/git_blob_id.hpp"

#include <doctest/doctest.h>

using namespace cohub::core;
namespace test = cohub::test;

TEST_CASE("contents have the ids that git and the Hub give them") {
  CHECK(test::git_blob_id("") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  CHECK(test::git_blob_id("content") == "6b584e8ece562ebffc15d38808cd6b98fc3d97ea");
  CHECK(test::git_blob_id("Hello, World!") == "b45ef6fec89518d314f546fd6c3025367b721684");
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("content") ==
        "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73");
}

TEST_CASE("a digest does not depend on how its bytes come") {
  digest pieces(digest::algorithm::sha256);
  for (const char* piece : {"con", "", "tent"}) pieces.update(std::string_view(piece));
  CHECK(pieces.hex_digest() == sha256_hex("content"));
  auto blob = git_blob_digest(7);
  blob.update(std::string_view("content"));
  CHECK(blob.hex_digest() == test::git_blob_id("content"));
}

TEST_CASE("short names of partial files") {
  const auto name = [](const char* text) {
    digest of(digest::algorithm::sha1);
    of.update(std::string_view(text));
    return base64url_encode(of.raw_digest());
  };
  CHECK(name("repo.txt.metadata") == "3rOr3SS2JUJSWmVnCU-HsZcNS08=");
  CHECK(name("file.txt.metadata") == "-cBLXcT-p5K-naX2rfKJhBZ6mEc=");
}

TEST_CASE("hex is lower case and of an exact length") {
  CHECK(is_hex("0123456789abcdef", 16));
  for (const char* text : {"0123456789ABCDEF", "0123456789abcde", "0123456789abcdeg", ""}) {
    CAPTURE(text);
    CHECK_FALSE(is_hex(text, 16));
  }
}
