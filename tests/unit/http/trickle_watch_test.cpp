#include "http/trickle_watch.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using cohub::http::trickle_watch;

TEST_CASE("a window of waiting that brought next to nothing is a trickle") {
  trickle_watch watch(10s);
  for (int second = 1; second < 10; ++second) {
    watch.received(1000);
    CHECK_FALSE(watch.waited(1s));
  }
  watch.received(1000);
  CHECK(watch.waited(1s));
}

TEST_CASE("who brings the least rate is merely slow, in every window") {
  trickle_watch watch(10s);
  for (int second = 1; second <= 40; ++second) {
    watch.received(trickle_watch::least_rate);
    CHECK_FALSE(watch.waited(1s));
  }
}

TEST_CASE("bytes of one window do not excuse the next") {
  trickle_watch watch(10s);
  watch.received(100u << 20);
  CHECK_FALSE(watch.waited(10s));
  CHECK(watch.waited(10s));
}

TEST_CASE("without a limit nothing is a trickle") {
  trickle_watch watch(0s);
  CHECK_FALSE(watch.waited(1h));
}
