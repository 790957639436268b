#pragma once

#include <optional>
#include <string_view>

namespace cohub::core {

/// Takes the first line off the front of a text, without its end; nothing if none is complete.
inline std::optional<std::string_view> take_line(std::string_view& text) noexcept {
  const auto end = text.find('\n');
  if (end == text.npos) return {};
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace cohub::core
