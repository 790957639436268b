#include "hub/utf8.hpp"

#include <cstring>

namespace cohub::hub {

std::optional<code_point> decode_utf8(std::string_view text, std::size_t offset) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[offset + i]); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return code_point{lead, 1};
  std::size_t length = 0;
  std::uint32_t value = 0;
  std::uint32_t smallest = 0;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2, value = lead & 0x1f, smallest = 0x80;
  } else if ((lead & 0xf0) == 0xe0) {
    length = 3, value = lead & 0x0f, smallest = 0x800;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4, value = lead & 0x07, smallest = 0x10000;
  } else {
    return {};
  }
  if (text.size() - offset < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3fu);
  }
  if (value < smallest || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return code_point{value, length};
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < text.size()) {
    // Eight ASCII bytes at a time: headers and cards are mostly that.
    std::uint64_t word = 0;
    if (text.size() - i >= sizeof word) {
      std::memcpy(&word, text.data() + i, sizeof word);
      if ((word & 0x8080808080808080u) == 0) {
        i += sizeof word;
        continue;
      }
    }
    const auto next = decode_utf8(text, i);
    if (!next) return i;
    i += next->length;
  }
  return {};
}

std::string as_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (const auto odd = find_invalid_utf8(text)) {
    valid += text.substr(0, *odd);
    append_utf8(valid, 0xfffd);
    text.remove_prefix(*odd + 1);
  }
  return valid += text;
}

void append_utf8(std::string& text, std::uint32_t value) {
  const auto add = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (value < 0x80) {
    add(value);
  } else if (value < 0x800) {
    add(0xc0 | (value >> 6)), add(0x80 | (value & 0x3f));
  } else if (value < 0x10000) {
    add(0xe0 | (value >> 12)), add(0x80 | ((value >> 6) & 0x3f)), add(0x80 | (value & 0x3f));
  } else {
    add(0xf0 | (value >> 18)), add(0x80 | ((value >> 12) & 0x3f));
    add(0x80 | ((value >> 6) & 0x3f)), add(0x80 | (value & 0x3f));
  }
}

}  // namespace cohub::hub
