#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client_config.hpp"

#include <chrono>
#include <cstddef>

namespace cohub::transfer {

awaitable<void> wait_for(std::chrono::milliseconds delay);

/// Waits, jittered, before try number `tries` + 1; false, at once: there were enough.
awaitable<bool> wait_before_next(retry_limits limits, std::size_t tries);

}  // namespace cohub::transfer
