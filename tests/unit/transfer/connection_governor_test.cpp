#include "transfer/download/connection_governor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace {

using namespace cohub::transfer;
using namespace std::chrono_literals;

/// Lets time pass while bytes come at a rate that depends on the number of connections, and each
/// tick comes a little late, as those of a timer do.
void let_pass(connection_governor& governor, transfer_clock::time_point& now,
              transfer_clock::duration time, const std::function<double(std::size_t)>& rate,
              transfer_clock::duration wait = {}) {
  const auto step = connection_governor::interval + 1ms;
  const double seconds = std::chrono::duration<double>(step).count();
  for (auto passed = 0ns; passed < time; passed += step) {
    governor.count(static_cast<std::uint64_t>(rate(governor.target()) * seconds));
    now += step;
    governor.tick(now, wait);
  }
}

}  // namespace

TEST_CASE("connections grow to the limit while more of them bring more") {
  transfer_clock::time_point now{};
  connection_governor governor(16, now);
  CHECK(governor.target() == 4);
  let_pass(governor, now, 2s, [](std::size_t n) { return 50e6 * static_cast<double>(n); });
  CHECK(governor.target() == 16);
}

TEST_CASE("connections that bring nothing more are given up, and tried again later") {
  transfer_clock::time_point now{};
  connection_governor governor(16, now);
  std::size_t most = 0;
  let_pass(governor, now, 2s, [&](std::size_t n) {
    most = std::max(most, n);
    return 100e6;
  });
  CHECK(most == 8);
  CHECK(governor.target() == 4);
  let_pass(governor, now, 10s, [](std::size_t n) { return 100e6 * static_cast<double>(n); });
  CHECK(governor.target() == 16);
}

TEST_CASE("far away, new connections are judged once they can have brought something") {
  transfer_clock::time_point now{};
  connection_governor governor(16, now);
  std::vector<transfer_clock::time_point> opened;
  const auto after_four_round_trips = [&](std::size_t n) {
    opened.resize(n, now);
    const auto bringing = std::count_if(opened.begin(), opened.end(),
                                        [&](auto since) { return now - since >= 400ms; });
    return 10e6 * static_cast<double>(bringing);
  };
  let_pass(governor, now, 15s, after_four_round_trips, 100ms);
  CHECK(governor.target() == 16);
}

TEST_CASE("the target stays between one and the limit") {
  transfer_clock::time_point now{};
  connection_governor small(2, now);
  CHECK(small.target() == 2);
  let_pass(small, now, 5s, [](std::size_t n) { return 50e6 * static_cast<double>(n); });
  CHECK(small.target() == 2);
  connection_governor none(0, now);
  CHECK(none.target() == 1);
}
