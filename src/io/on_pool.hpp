#pragma once

#include "cohub/detail/on_pool.hpp"

namespace cohub::io {

/// See there: public templates run hooks by it, too.
using detail::on_pool;

}  // namespace cohub::io
