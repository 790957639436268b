#pragma once

#include "cohub/client_config.hpp"

#include "http/fields.hpp"

#include <boost/system/system_error.hpp>

#include <chrono>
#include <cstddef>
#include <optional>

namespace cohub::http {

/// Statuses that a later try may not meet: 408, 429, 500, 502, 503, 504.
bool is_transient_status(int status) noexcept;

/// Failures of the network that a later try may not meet: a broken, refused or stalled connection.
bool is_transient_failure(boost::system::error_code code) noexcept;

/// Of these, a connection that the other side closed, as one does that has too many.
bool is_closed_by_peer(boost::system::error_code code) noexcept;

/// A proxy that nobody reaches, like a server, or one that has trouble itself.
bool is_transient_proxy_failure(const boost::system::system_error& failure) noexcept;

/// What is added to the waits that servers ask for, as the Python client does (hub-protocol,
/// section 9.3).
inline constexpr std::chrono::seconds added_wait{1};

/// A request that a server has no room for, while it does others of the client, is tried so many
/// times as often as one that fails.
inline constexpr std::size_t crowded_patience = 10;

/// How long the server asks to wait: `Retry-After` in whole seconds, or the time to the window's
/// end of a spent `ratelimit`; with `added_wait`.
std::optional<std::chrono::milliseconds> requested_wait(int status, const fields& headers);

/// The time to the end of a window whose `ratelimit` is spent, with `added_wait`; nothing where
/// requests are left in it (hub-protocol, section 9.4).
std::optional<std::chrono::milliseconds> window_left(const fields& headers);

/// The wait before try number `attempt` + 1 (attempt counts from 1), or nothing to give up.
/// `jitter` draws from [0, 1).
std::optional<std::chrono::milliseconds> next_delay(
    const retry_limits& limits, std::size_t attempt,
    std::optional<std::chrono::milliseconds> asked_by_server, double jitter) noexcept;

/// For `next_delay`: uniform in [0, 1).
double draw_jitter();

}  // namespace cohub::http
