#include "transfer/patient_limits.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using std::chrono::milliseconds;

TEST_CASE("a slow answer is waited for as long as either limit lets it, for ever by zero") {
  const auto patience = [](int first_byte, int commit) {
    time_limits limits;
    limits.first_byte = milliseconds(first_byte);
    limits.commit = milliseconds(commit);
    return transfer::patient_limits(limits).first_byte;
  };
  CHECK(patience(10, 20) == milliseconds(20));
  CHECK(patience(30, 20) == milliseconds(30));
  CHECK(patience(0, 20) == milliseconds(0));
  CHECK(patience(10, 0) == milliseconds(0));
}
