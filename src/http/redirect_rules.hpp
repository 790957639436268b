#pragma once

#include "core/url.hpp"

namespace cohub::http {

/// Whether what is meant for the origin `from` alone, its token and the caller's own headers, may
/// go on to `to`: the same origin, or the same host asked by https instead of http, both on their
/// own ports (hub-protocol, section 1.2).
bool keeps_credentials(const core::origin& from, const core::origin& to) noexcept;

}  // namespace cohub::http
