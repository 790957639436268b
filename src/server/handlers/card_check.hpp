#pragma once

#include <string>
#include <vector>

namespace cohub::server {

struct card_problems {
  std::vector<std::string> errors{};    ///< refuse the card
  std::vector<std::string> warnings{};  ///< are told
};

/// What the Hub finds wrong with the metadata of a card (hub-protocol, section 6.5).
/// @param repo_type  "model", "dataset" or "space"
card_problems check_card(const std::string& content, const std::string& repo_type);

}  // namespace cohub::server
