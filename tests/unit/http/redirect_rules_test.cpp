#include "http/redirect_rules.hpp"

#include <doctest/doctest.h>

using namespace cohub;

TEST_CASE("credentials stay with their origin, or go from http to https on the same host") {
  struct {
    const char* from;
    const char* to;
    bool kept;
  } const cases[] = {
      {"http://hub.test/a", "http://hub.test/b", true},
      {"https://hub.test/", "https://hub.test:443/", true},
      {"http://hub.test/", "https://hub.test/", true},
      {"http://hub.test:80/", "https://hub.test:443/", true},
      {"https://hub.test/", "http://hub.test/", false},
      {"http://hub.test:8080/", "https://hub.test/", false},
      {"http://hub.test/", "https://hub.test:8443/", false},
      {"http://hub.test:443/", "https://hub.test/", false},
      {"http://hub.test/", "http://hub.test:443/", false},
      {"http://hub.test/", "https://www.hub.test/", false},
      {"https://hub.test/", "https://cdn.hub.test/", false},
      {"https://hub.test/", "https://hub.test:8443/", false},
  };
  for (const auto& [from, to, kept] : cases) {
    CAPTURE(from);
    CAPTURE(to);
    CHECK(http::keeps_credentials(core::parse_url(from)->origin, core::parse_url(to)->origin) ==
          kept);
  }
}
