#pragma once

#include "cohub/card_value.hpp"

#include <string>
#include <string_view>

namespace cohub::hub {

/// Writes a map as `write_yaml` does, but members that are what they are in `original`, YAML that
/// was read before, in its own text: quotes, flow style, block scalars, numbers as they are
/// spelled.
/// @param keep_comments  also the comments and empty lines of `original`: those before a member go
///                       where it goes, and away with it. Without it, a member that has comments
///                       inside is written anew.
std::string write_yaml_over(std::string_view original, const card_map& map,
                            std::string_view line_break, bool keep_comments);

}  // namespace cohub::hub
