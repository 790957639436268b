#pragma once

#include "cohub/card_value.hpp"

#include <string_view>

namespace cohub::hub {

/// What YAML 1.1 takes an unquoted scalar for (mixin-and-cards, section 4.7).
enum class plain_kind { null, boolean, integer, real, timestamp, merge, value, text };
plain_kind resolve_plain(std::string_view text) noexcept;

/// The value of an unquoted scalar as cards are read: with its spelling, and `yes`, `no`, `on`,
/// `off` as text (section 4.8: languages are named `no`).
card_value read_plain(std::string_view text);

}  // namespace cohub::hub
