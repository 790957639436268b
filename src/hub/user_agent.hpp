#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cohub::hub {

/// Joins parts of a user agent by "; ". A part may hold several; what comes twice stays where it
/// came first (hub-protocol, section 1.4).
std::string join_user_agent(const std::vector<std::string_view>& parts);

}  // namespace cohub::hub
