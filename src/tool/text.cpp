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

/// A control character of several bytes.
struct control {
  std::size_t size = 0;    ///< in bytes; 0: there is none
  unsigned character = 0;  ///< Unicode's number of it
};

/// U+0080 to U+009F, and those that turn the direction of what follows: U+202A to U+202E, U+2066 to
/// U+2069.
control control_at(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto second = byte(at + 1);
  if (byte(at) == 0xc2 && second >= 0x80 && second < 0xa0) return {2, second};
  if (byte(at) != 0xe2) return {};
  const auto third = byte(at + 2);
  const bool turns = (second == 0x80 && third >= 0xaa && third <= 0xae) ||
                     (second == 0x81 && third >= 0xa6 && third <= 0xa9);
  if (!turns) return {};
  return {3, 0x2000 | (second & 0x3f) << 6 | (third & 0x3f)};
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
    const auto found = byte == 0x7f ? control{1, byte} : control_at(json, i);
    if (found.size == 0) {
      escaped += json[i];
      continue;
    }
    i += found.size - 1;
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "\\u%04x", found.character);
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
    } else if (const auto found = control_at(text, i); found.size > 0) {
      shown += '?';
      i += found.size - 1;
    } else {
      shown += text[i];
    }
  }
  return shown;
}

}  // namespace cohub::tool
