#pragma once

#include "cohub/detail/on_pool.hpp"

namespace cohub::io {

/// See there: operations that are public templates filter by it, too.
inline constexpr auto as_terminal = detail::pass_as_terminal;

}  // namespace cohub::io
