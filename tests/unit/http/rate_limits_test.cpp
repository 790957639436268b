#include "http/rate_limits.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace cohub;
using http::rate_lane;
using http::rate_limits;

namespace {

core::url url_of(const char* text) { return core::parse_url(text).value(); }

const auto now = rate_limits::clock::time_point{} + 1h;
const auto api = url_of("https://hub.test/api/models/a/b");

}  // namespace

TEST_CASE("the lane of a request follows from its path, also below a prefix") {
  CHECK(http::lane_of("/a/b/resolve/main/x") == rate_lane::resolvers);
  CHECK(http::lane_of("/api/resolve-cache/models/a/b/x") == rate_lane::resolvers);
  CHECK(http::lane_of("/mirror/datasets/a/b/resolve/main/x") == rate_lane::resolvers);
  CHECK(http::lane_of("/api/models") == rate_lane::api);
  CHECK(http::lane_of("/a/b") == rate_lane::pages);
}

TEST_CASE("a refusal with a wait holds back its lane of its origin, and nothing else") {
  rate_limits limits(300s, 10);
  limits.answered(api, 429, {}, 13s, now);
  CHECK(limits.pause(api, now) == now + 13s);
  CHECK(limits.pause(url_of("https://hub.test/api/whoami-v2"), now) == now + 13s);
  CHECK_FALSE(limits.pause(url_of("https://hub.test/a/b/resolve/main/x"), now));
  CHECK_FALSE(limits.pause(url_of("https://other.test/api/models/a/b"), now));
  CHECK_FALSE(limits.pause(api, now + 13s));
}

TEST_CASE("the longest wait counts, one beyond the bound does not") {
  rate_limits limits(300s, 10);
  limits.answered(api, 503, {}, 20s, now);
  limits.answered(api, 429, {}, 5s, now);
  limits.answered(api, 429, {}, 302s, now);
  CHECK(limits.pause(api, now) == now + 20s);
  limits.answered(api, 429, {}, 301s, now);
  CHECK(limits.pause(api, now) == now + 301s);
}

TEST_CASE("an answer that used up the window holds back the next requests") {
  rate_limits limits(300s, 10);
  limits.answered(api, 200, {{"ratelimit", "\"api\";r=1;t=60"}}, {}, now);
  CHECK_FALSE(limits.pause(api, now));
  limits.answered(api, 200, {{"ratelimit", "\"api\";r=0;t=60"}}, {}, now);
  CHECK(limits.pause(api, now) == now + 61s);
}

TEST_CASE("retries are bounded until something succeeds") {
  rate_limits limits(300s, 2);
  CHECK(limits.may_retry(api.origin));
  CHECK(limits.may_retry(api.origin));
  CHECK_FALSE(limits.may_retry(api.origin));
  CHECK(limits.may_retry(url_of("https://other.test/").origin));
  limits.answered(api, 503, {}, {}, now);
  CHECK_FALSE(limits.may_retry(api.origin));
  limits.answered(api, 404, {}, {}, now);  // it is well, and says no
  CHECK(limits.may_retry(api.origin));
}
