#pragma once

#include "core/ascii.hpp"

#include <algorithm>
#include <string_view>

namespace cohub::cache {

/// 64 hex digits of either case. A gated repository shows stars instead to those without access.
inline bool is_xet_hash(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), core::is_hex_digit);
}

}  // namespace cohub::cache
