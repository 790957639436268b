#pragma once

#include <string_view>

namespace cohub::core {

/// Without the blanks and tabs around it: the optional white space of header fields.
constexpr std::string_view trim(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace cohub::core
