#include "text.hpp"

namespace cohub::tool {

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string printable(const std::string& text, line_breaks breaks) {
  std::string shown;
  shown.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte == '\n' || byte == '\t' || (byte == '\r' && breaks == line_breaks::blank)) {
      shown += breaks == line_breaks::keep ? text[i] : ' ';
    } else if (byte < 0x20 || byte == 0x7f) {
      shown += '?';
    } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {  // U+0080 to U+009F in UTF-8
      shown += '?';
      ++i;
    } else {
      shown += text[i];
    }
  }
  return shown;
}

}  // namespace cohub::tool
