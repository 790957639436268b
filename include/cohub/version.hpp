#pragma once

namespace cohub {

/// Version of the library, as in its package and in the user agent of its requests.
inline constexpr const char* version = "0.2.0";

}  // namespace cohub
