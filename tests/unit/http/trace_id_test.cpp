#include "http/trace_id.hpp"

#include <doctest/doctest.h>

using namespace cohub;

TEST_CASE("a UUID tells its version and variant, and has the rest of the bits it was given") {
  CHECK(http::uuid4(0, 0) == "00000000-0000-4000-8000-000000000000");
  CHECK(http::uuid4(~0ull, ~0ull) == "ffffffff-ffff-4fff-bfff-ffffffffffff");
  CHECK(http::uuid4(0x0123456789abcdefull, 0x0123456789abcdefull) ==
        "01234567-89ab-4def-8123-456789abcdef");
}

TEST_CASE("a request has the id that its caller gave it, else a fresh one") {
  std::mt19937_64 random(1);
  const auto first = http::choose_trace_id({}, {}, random);
  CHECK(first.size() == 36);
  CHECK(http::choose_trace_id({}, {}, random) != first);
  CHECK(http::choose_trace_id({{"x-request-id", "mine"}}, {}, random) == "mine");
  CHECK(http::choose_trace_id({}, {{"X-Request-ID", "mine"}}, random) == "mine");
  CHECK(http::choose_trace_id({{"X-Request-Id", "a"}}, {{"x-amzn-trace-id", "b"}}, random) == "b");
}

TEST_CASE("what a server calls a request is shown without secrets, and not at any length") {
  CHECK(http::answered_id({}).empty());
  CHECK(http::answered_id({{"x-amz-cf-id", "c"}, {"X-Amzn-Trace-Id", "b"}}) == "b");
  CHECK(http::answered_id({{"X-Amzn-Trace-Id", "b"}, {"x-request-id", "a"}}) == "a");
  const auto id = http::answered_id({{"X-Request-Id", "hf_" + std::string(34, 'x')}});
  CHECK(!id.empty());
  CHECK(id.find("xxx") == id.npos);
  CHECK(http::answered_id({{"X-Request-Id", std::string(1000, 'a')}}).size() == 200);
}
