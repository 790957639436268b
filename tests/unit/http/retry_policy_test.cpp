#include "http/retry_policy.hpp"

#include "cohub/error.hpp"

#include <boost/asio/error.hpp>
#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace cohub::http;

TEST_CASE("only statuses that a later try may not meet are transient") {
  for (const int status : {408, 429, 500, 502, 503, 504}) CHECK(is_transient_status(status));
  for (const int status : {200, 206, 302, 400, 401, 403, 404, 409, 412, 416, 501})
    CHECK_FALSE(is_transient_status(status));
}

TEST_CASE("waits double from the base up to the bound, jittered downwards") {
  const cohub::retry_limits limits;
  const std::chrono::milliseconds expected[] = {1s, 2s, 4s, 8s, 8s};
  for (std::size_t attempt = 1; attempt <= 5; ++attempt) {
    CHECK(next_delay(limits, attempt, {}, 1.0) == expected[attempt - 1]);
    CHECK(next_delay(limits, attempt, {}, 0.25) == expected[attempt - 1] / 4);
  }
  CHECK_FALSE(next_delay(limits, 6, {}, 1.0));
}

TEST_CASE("jitter stays within its bounds") {
  for (int i = 0; i < 1000; ++i) {
    const double jitter = draw_jitter();
    CHECK(jitter >= 0.0);
    CHECK(jitter < 1.0);
  }
}

TEST_CASE("a closed connection is told from one that nobody takes, or that is silent") {
  namespace error = boost::asio::error;
  for (const boost::system::error_code code :
       {boost::system::error_code(error::eof), boost::system::error_code(error::connection_reset),
        boost::system::error_code(error::broken_pipe)}) {
    CHECK(is_closed_by_peer(code));
    CHECK(is_transient_failure(code));
  }
  for (const boost::system::error_code code : {boost::system::error_code(error::connection_refused),
                                               make_error_code(cohub::errc::timed_out)}) {
    CHECK_FALSE(is_closed_by_peer(code));
    CHECK(is_transient_failure(code));
  }
}

TEST_CASE("what the server asks for beats the doubling, unless it is too long") {
  const cohub::retry_limits limits;
  CHECK(next_delay(limits, 1, 13s, 0.0) == 13s);
  // A whole window of the Hub, with the second that is added.
  CHECK(next_delay(limits, 1, requested_wait(429, {{"ratelimit", "\"api\";r=0;t=300"}}), 0.0) ==
        301s);
  CHECK_FALSE(next_delay(limits, 1, 302s, 0.0));
  CHECK_FALSE(next_delay(limits, 6, 1s, 0.0));
}

TEST_CASE("the server's wait is read from the rate limit and from Retry-After") {
  CHECK(requested_wait(429, {{"ratelimit", "\"api\";r=0;t=12"}}) == 13s);
  CHECK(requested_wait(429, {{"RateLimit", "\"api\"; r = 0 ; t = 6"}}) == 7s);
  CHECK(requested_wait(503, {{"Retry-After", "7"}}) == 8s);
  CHECK(requested_wait(503, {{"Retry-After", " 7 "}}) == 8s);
  SUBCASE("a window that is not spent, a bare bucket name, dates and fractions say nothing") {
    CHECK_FALSE(requested_wait(429, {{"ratelimit", "\"api\";r=5;t=6"}}));
    CHECK_FALSE(requested_wait(429, {{"ratelimit", "api;r=0;t=1"}}));
    CHECK_FALSE(requested_wait(503, {{"ratelimit", "\"api\";r=0;t=12"}}));
    CHECK_FALSE(requested_wait(503, {{"Retry-After", "1.5"}}));
    CHECK_FALSE(requested_wait(503, {{"Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"}}));
    CHECK_FALSE(requested_wait(503, {{"Retry-After", "-1"}}));
    CHECK_FALSE(requested_wait(503, {{"Retry-After", "99999999999999999999"}}));
  }
}
