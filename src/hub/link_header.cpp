#include "hub/link_header.hpp"

#include "core/trim.hpp"

#include <algorithm>

namespace cohub::hub {

namespace {

/// Whether the parameters of a link (`; rel="next"; ...`) name the relation.
bool has_relation(std::string_view parameters, std::string_view relation) {
  while (!parameters.empty()) {
    const auto end = std::min(parameters.find(';'), parameters.size());
    const auto item = core::trim(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    const auto equals = item.find('=');
    if (equals == item.npos || core::trim(item.substr(0, equals)) != "rel") continue;
    auto value = core::trim(item.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    if (value == relation) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> link_target(std::string_view header, std::string_view relation) {
  for (;;) {
    const auto open = header.find('<');
    if (open == header.npos) return {};
    const auto close = header.find('>', open);
    if (close == header.npos) return {};
    // The parameters end at the comma before the next link; commas inside urls stand within <>.
    const auto next = header.find('<', close);
    const auto parameters =
        header.substr(close + 1, next == header.npos ? header.npos : next - close - 1);
    const auto comma = next == header.npos ? parameters.npos : parameters.rfind(',');
    if (has_relation(parameters.substr(0, comma), relation))
      return std::string(header.substr(open + 1, close - open - 1));
    if (next == header.npos) return {};
    header.remove_prefix(next);
  }
}

}  // namespace cohub::hub
