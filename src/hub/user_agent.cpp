#include "hub/user_agent.hpp"

#include "core/trim.hpp"

#include <algorithm>

namespace cohub::hub {

std::string join_user_agent(const std::vector<std::string_view>& parts) {
  std::vector<std::string_view> kept;
  for (auto part : parts) {
    while (!part.empty()) {
      const auto end = std::min(part.find(';'), part.size());
      const auto item = core::trim(part.substr(0, end));
      part.remove_prefix(std::min(end + 1, part.size()));
      if (!item.empty() && std::find(kept.begin(), kept.end(), item) == kept.end())
        kept.push_back(item);
    }
  }
  std::string text;
  for (const auto item : kept) {
    if (!text.empty()) text += "; ";
    text += item;
  }
  return text;
}

}  // namespace cohub::hub
