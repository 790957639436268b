#include "hub/rate_limit.hpp"

#include <doctest/doctest.h>

using cohub::hub::parse_rate_limit;

TEST_CASE("rate limits are read from structured fields") {
  const auto full =
      parse_rate_limit(R"("resolvers";r=0;t=12)", R"("fixed window";"resolvers";q=3000;w=300)");
  REQUIRE(full.has_value());
  CHECK(full->bucket == "resolvers");
  CHECK(full->left == 0);
  CHECK(full->seconds == 12);
  CHECK(full->quota == 3000);
  CHECK(full->window == 300);
  const auto spaced = parse_rate_limit(R"("api"; r = 5 ; t = 6)", "");
  REQUIRE(spaced.has_value());
  CHECK(spaced->bucket == "api");
  CHECK(spaced->left == 5);
  CHECK(spaced->seconds == 6);
  CHECK_FALSE(spaced->quota.has_value());
  for (const char* text : {"api;r=0;t=1", "", "\"api\"", "\"api\";r=0", "\"api\";r=x;t=1",
                           "\";r=0;t=1", "\"api\";r=-1;t=1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rate_limit(text, "").has_value());
  }
}
