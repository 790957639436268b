#include "core/url.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using namespace cohub::core;

TEST_CASE("an url falls apart into origin and target") {
  const auto plain = parse_url("http://Example.COM").value();
  CHECK(plain.origin.host == "example.com");
  CHECK(plain.origin.port == 80);
  CHECK(plain.target == "/");
  CHECK(plain.text() == "http://example.com/");
  const auto full = parse_url("https://user:secret@h:8443/a%20b?x=1&y=%2F#part").value();
  CHECK(full.origin.port == 8443);
  CHECK(full.target == "/a%20b?x=1&y=%2F");
  CHECK(full.path() == "/a%20b");
  CHECK(full.query() == "x=1&y=%2F");
  CHECK(full.printable() == "https://h:8443/a%20b");
  const auto six = parse_url("http://[::1]:8080/x").value();
  CHECK(six.origin.host == "::1");
  CHECK(six.origin.authority() == "[::1]:8080");
  CHECK(parse_url("https://h:443/").value().origin == parse_url("https://H").value().origin);
}

TEST_CASE("what is no http url is refused") {
  for (const char* text :
       {"", "h", "/path", "ftp://h/", "file:///etc/passwd", "http://", "http:///x", "http://h:0/",
        "http://h:99999/", "http://h/a\r\nb", "javascript:alert(1)", "http://a b/", "http://a%09b/",
        "http://a%0Bb/", "http://a%3A80/", "http://a%5Db/"}) {
    CAPTURE(std::string(text));
    const auto parsed = parse_url(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == errc::invalid_url);
  }
  CHECK_FALSE(parse_url("http://h/" + std::string(70'000, 'x')).has_value());
}

TEST_CASE("what servers leave raw is escaped") {
  CHECK(parse_url("http://h/a b|c?d=\"é\"&e=100%").value().target ==
        "/a%20b%7Cc?d=%22%C3%A9%22&e=100%25");
}

TEST_CASE("references are resolved as RFC 3986 says") {
  const auto base = parse_url("https://hub:8443/a/b/c?q=1").value();
  const std::pair<const char*, const char*> cases[] = {
      {"/x/y?z=%2F", "https://hub:8443/x/y?z=%2F"},
      {"d", "https://hub:8443/a/b/d"},
      {"../d", "https://hub:8443/a/d"},
      {"../../../d", "https://hub:8443/d"},
      {"?p=2", "https://hub:8443/a/b/c?p=2"},
      {"//other/x", "https://other/x"},
      {"http://third:81/y#f", "http://third:81/y"},
      {"/org/m/resolve/refs%2Fpr%2F1/f", "https://hub:8443/org/m/resolve/refs%2Fpr%2F1/f"},
      {"https://cdn/c%2B%2B%3D%40%7e.bin?s=%2f", "https://cdn/c%2B%2B%3D%40%7e.bin?s=%2f"},
      {"//cdn/a%2F..%2Fb", "https://cdn/a%2F..%2Fb"},
      {"e%2Ff", "https://hub:8443/a/b/e%2Ff"},
      {"/x/./y/../z/..", "https://hub:8443/x/"},
      {"https://cdn/../a/./b", "https://cdn/a/b"},
      {"https://cdn?q", "https://cdn/?q"},
      {"", "https://hub:8443/a/b/c?q=1"},
      {"#f", "https://hub:8443/a/b/c?q=1"},
      {"/x?a=[1]|{2}", "https://hub:8443/x?a=%5B1%5D%7C%7B2%7D"},
  };
  for (const auto& [reference, expected] : cases) {
    CAPTURE(std::string(reference));
    CHECK(resolve_url(base, reference).value().text() == expected);
  }
  CHECK_FALSE(resolve_url(base, "ftp://x/").has_value());
  CHECK_FALSE(resolve_url(base, "/a\nb").has_value());
}

TEST_CASE("percent encoding keeps the unreserved and what is asked for") {
  CHECK(percent_encode("refs/pr/1") == "refs%2Fpr%2F1");
  CHECK(percent_encode("a b/ü#1?.bin", "/") == "a%20b/%C3%BC%231%3F.bin");
  CHECK(percent_decode("a%20b%2f%C3%BC%") == "a b/ü%");
  CHECK(percent_decode("%zz%4") == "%zz%4");
}

TEST_CASE("values are found in a query") {
  CHECK(query_value("a=1&b=x+y%2B&c", "b") == "x y+");
  CHECK(query_value("a=1", "b").empty());
  CHECK(query_value("expand%5B%5D=f", "expand[]") == "f");
}

TEST_CASE("a redirect leads from https to https, from http to both, and nowhere else") {
  const auto secure = parse_url("https://hub.test/a/b").value();
  const auto plain = parse_url("http://hub.test/a/b").value();
  CHECK(redirect_target(secure, "https://cdn.test/x")->text() == "https://cdn.test/x");
  CHECK(redirect_target(secure, "/c")->text() == "https://hub.test/c");
  CHECK(redirect_target(plain, "https://cdn.test/x")->text() == "https://cdn.test/x");
  CHECK(redirect_target(plain, "http://cdn.test/x")->text() == "http://cdn.test/x");
  CHECK_FALSE(redirect_target(secure, "http://hub.test/a/b").has_value());
  for (const auto* elsewhere : {"ftp://hub.test/x", "file:///etc/passwd", "javascript:x"})
    CHECK_FALSE(redirect_target(plain, elsewhere).has_value());
}
