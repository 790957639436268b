#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cohub::hub {

/// The target of the link with that relation in a Link header; nothing if there is none.
std::optional<std::string> link_target(std::string_view header, std::string_view relation);

}  // namespace cohub::hub
