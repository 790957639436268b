#pragma once

#include "cohub/card_value.hpp"

#include <string>
#include <string_view>

namespace cohub::hub {

/// Reads one YAML document: YAML 1.1 with the tags of its core, scalars by `read_plain`. The last
/// of equal keys wins, merge keys are merged, aliases are copied; depth and number of nodes are
/// bounded.
/// @throws error  errc::invalid_card, with `origin` and the line, counted from `first_line`
card_value read_yaml(std::string_view text, std::string_view origin, std::size_t first_line = 1);

/// Writes a map as PyYAML does in block style, in the given order, with `line_break` after each
/// line (mixin-and-cards, section 4.7). An empty map is `{}`.
std::string write_yaml(const card_map& map, std::string_view line_break = "\n");

}  // namespace cohub::hub
