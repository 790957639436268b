#pragma once

#include "cohub/model_card.hpp"

#include <string>
#include <string_view>

namespace cohub::model {

/// Renders a card template: the part of Jinja that card templates use (mixin-and-cards,
/// section 4.9). Line breaks of the template become LF; its last one goes; variables are put in as
/// they are.
/// @throws error  errc::invalid_card, with the line
std::string render_template(std::string_view text, const template_variables& variables);

}  // namespace cohub::model
