#pragma once

#include "cohub/detail/on_pool.hpp"

namespace cohub::io {

/// See there: public templates run hooks by it, too.
using detail::on_pool;
using detail::throw_if_stopped;

}  // namespace cohub::io
