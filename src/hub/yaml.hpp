#pragma once

#include "cohub/card_value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cohub::hub {

/// Where a member of the top-level map stands in the text: bytes [begin, end), from its key to the
/// end of its value.
struct yaml_member {
  std::string key{};
  std::size_t begin = 0;
  std::size_t end = 0;
  bool has_comment = false;  ///< in between
};

/// Reads one YAML document: YAML 1.1 with the tags of its core, scalars by `read_plain`. The last
/// of equal keys wins, merge keys are merged, aliases are copied; depth and number of nodes are
/// bounded.
/// @param members  filled with where they stand, in the order of the text, equal keys each; stays
///                 empty if the text is no map in block style that begins at the margin
/// @throws error  errc::invalid_card, with `origin` and the line, counted from `first_line`
card_value read_yaml(std::string_view text, std::string_view origin, std::size_t first_line = 1,
                     std::vector<yaml_member>* members = nullptr);

/// Writes a map as PyYAML does in block style, in the given order, with `line_break` after each
/// line (mixin-and-cards, section 4.7). An empty map is `{}`.
std::string write_yaml(const card_map& map, std::string_view line_break = "\n");

}  // namespace cohub::hub
