#include "transfer/commit/commit_attempts.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using namespace std::chrono_literals;
using transfer::commit_attempts;

namespace {

retry_limits limits_of(std::size_t attempts) {
  retry_limits limits;
  limits.attempts = attempts;
  return limits;
}

}  // namespace

TEST_CASE("a commit that loses to others is tried more often than one whose answers are lost") {
  commit_attempts attempts;
  const auto limits = limits_of(3);
  for (std::size_t i = 1; i < commit_attempts::most_conflicts; ++i)
    CHECK(attempts.conflicted(limits, {}, 1.0));
  CHECK_FALSE(attempts.conflicted(limits, {}, 1.0));
  CHECK(attempts.lost(limits, {}, 1.0) == limits.base_delay);
  CHECK(attempts.lost(limits, 7s, 1.0) == 7s);
  CHECK_FALSE(attempts.lost(limits, {}, 1.0));
}

TEST_CASE("limits that allow more conflicts hold") {
  commit_attempts attempts;
  const auto limits = limits_of(commit_attempts::most_conflicts + 2);
  for (std::size_t i = 1; i < limits.attempts; ++i) CHECK(attempts.conflicted(limits, {}, 1.0));
  CHECK_FALSE(attempts.conflicted(limits, {}, 1.0));
}

TEST_CASE("the condition is dropped after some conflicts, but never of what may have been made") {
  commit_attempts attempts;
  const retry_limits limits;
  for (std::size_t i = 0; i < commit_attempts::most_conditions; ++i) {
    CHECK_FALSE(attempts.drops_condition());
    attempts.conflicted(limits, {}, 1.0);
  }
  CHECK(attempts.drops_condition());
  CHECK_FALSE(attempts.may_be_made());
  attempts.lost(limits, {}, 1.0);
  CHECK(attempts.may_be_made());
  CHECK_FALSE(attempts.drops_condition());
}

TEST_CASE("files that change while they are sent are read again, but not for ever") {
  commit_attempts attempts;
  for (std::size_t i = 1; i < commit_attempts::most_readings; ++i) CHECK(attempts.disturbed());
  CHECK_FALSE(attempts.disturbed());
}
