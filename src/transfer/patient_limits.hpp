#pragma once

#include "cohub/client_config.hpp"

#include <algorithm>

namespace cohub::transfer {

/// The limits of a request that a Hub or a store may work on for minutes before it answers: a
/// commit of many files, an object of many parts. Zero, which means no limit, is the longer one.
inline time_limits patient_limits(time_limits limits) {
  const bool bounded =
      limits.first_byte > limits.first_byte.zero() && limits.commit > limits.commit.zero();
  limits.first_byte =
      bounded ? std::max(limits.first_byte, limits.commit) : limits.first_byte.zero();
  return limits;
}

}  // namespace cohub::transfer
