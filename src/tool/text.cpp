#include "text.hpp"

#include <array>
#include <cstddef>
#include <cstdio>

namespace cohub::tool {

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string literal_pattern(const std::string& name) {
  std::string pattern;
  for (const char c : name) {
    const bool is_special = c == '*' || c == '?' || c == '[';
    pattern += is_special ? std::string{'[', c, ']'} : std::string(1, c);
  }
  return pattern;
}

namespace {

/// Bytes of the character at `at`; 0 if there is none.
std::size_t character_size(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  // Not in more bytes than it takes, no surrogate, nothing above U+10FFFF.
  const auto second = byte(at + 1);
  const bool odd = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                   (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return odd ? 0 : size;
}

/// U+0080 to U+009F, which are 0xc2 and their own number in UTF-8.
bool is_control_of_two(const std::string& text, std::size_t at) {
  if (static_cast<unsigned char>(text[at]) != 0xc2 || at + 1 == text.size()) return false;
  const auto next = static_cast<unsigned char>(text[at + 1]);
  return next >= 0x80 && next < 0xa0;
}

}  // namespace

std::string as_utf8(std::string text) {
  std::string valid;
  for (std::size_t i = 0; i < text.size();) {
    const auto size = character_size(text, i);
    if (size == 0)
      valid += "\xef\xbf\xbd";
    else
      valid.append(text, i, size);
    i += size == 0 ? 1 : size;
  }
  return valid;
}

std::string json_controls_escaped(const std::string& json) {
  std::string escaped;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto byte = static_cast<unsigned char>(json[i]);
    const bool of_two = is_control_of_two(json, i);
    if (byte != 0x7f && !of_two) {
      escaped += json[i];
      continue;
    }
    if (of_two) ++i;
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "\\u%04x",
                  static_cast<unsigned>(static_cast<unsigned char>(json[i])));
    escaped += text.data();
  }
  return escaped;
}

std::string printable(const std::string& text, line_breaks breaks) {
  const bool keeps = breaks == line_breaks::keep;
  std::string shown;
  shown.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\r' && keeps && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (byte == '\n' || byte == '\t' || (byte == '\r' && !keeps)) {
      shown += keeps ? text[i] : ' ';
    } else if (byte < 0x20 || byte == 0x7f) {
      shown += '?';
    } else if (is_control_of_two(text, i)) {
      shown += '?';
      ++i;
    } else {
      shown += text[i];
    }
  }
  return shown;
}

}  // namespace cohub::tool
