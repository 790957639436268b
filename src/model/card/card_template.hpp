#pragma once

#include "cohub/model_card.hpp"

#include <string>
#include <string_view>

namespace cohub::model {

/// Renders a card template: the part of Jinja that card templates use (mixin-and-cards, sections
/// 4.9 and 7.9). Line breaks of the template become LF; its last one goes; variables are put in as
/// they are. Nesting, turns of loops and the size of the result are bounded.
/// @param name  of the template, for errors: a file
/// @throws error  errc::invalid_card, with the name and the line
std::string render_template(std::string_view text, const template_variables& variables,
                            std::string_view name = "a card template");

}  // namespace cohub::model
