#include "hub/front_matter.hpp"

#include "hub/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace cohub::hub {

namespace {

constexpr std::string_view fence = "---";

/// Length of the line break at `offset`, 0 if there is none.
std::size_t break_length(std::string_view text, std::size_t offset) noexcept {
  if (offset >= text.size()) return 0;
  if (text[offset] == '\n') return 1;
  if (text[offset] != '\r') return 0;
  return offset + 1 < text.size() && text[offset + 1] == '\n' ? 2 : 1;
}

/// What the Hub's grammar takes for white space, the byte order mark among it.
bool is_white_space(std::uint32_t point) noexcept {
  return point == ' ' || (point >= '\t' && point <= '\r') || point == 0xa0 || point == 0x1680 ||
         (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
         point == 0x202f || point == 0x205f || point == 0x3000 || point == 0xfeff;
}

/// Where the first character stands that is not white space; at the end if there is none.
std::size_t skip_white_space(std::string_view text) noexcept {
  std::size_t offset = 0;
  while (offset < text.size()) {
    const auto point = decode_utf8(text, offset);
    if (!point || !is_white_space(point->value)) break;
    offset += point->length;
  }
  return offset;
}

/// Where the text after a closing fence at `offset` begins; npos if there is no such fence. A lone
/// CR does not end its line.
std::size_t after_closing_fence(std::string_view text, std::size_t offset) noexcept {
  if (!text.substr(offset).starts_with(fence)) return text.npos;
  offset += fence.size();
  while (offset < text.size() && (text[offset] == ' ' || text[offset] == '\t')) ++offset;
  if (offset == text.size()) return offset;
  if (text[offset] == '\n') return offset + 1;
  return break_length(text, offset) == 2 ? offset + 2 : text.npos;
}

}  // namespace

std::optional<front_matter> find_front_matter(std::string_view content) {
  const std::size_t opener = skip_white_space(content);
  if (!content.substr(opener).starts_with(fence)) return {};
  const std::size_t opener_break = opener + fence.size();
  const std::size_t length = break_length(content, opener_break);
  if (length == 0) return {};

  const auto found = [&](std::size_t begin, std::size_t end, std::size_t text) {
    front_matter result;
    result.block = content.substr(begin, end - begin);
    result.text = content.substr(text);
    const auto before = content.substr(0, begin);
    result.first_line =
        1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    return result;
  };
  const std::size_t begin = opener_break + length;
  for (std::size_t i = begin; i < content.size(); ++i) {
    const std::size_t width = break_length(content, i);
    if (width == 0) continue;
    const std::size_t text = after_closing_fence(content, i + width);
    if (text != content.npos) return found(begin, i, text);
  }
  // With CRLF the opener may end at its CR and the closing fence follow the LF: an empty block.
  if (length == 2) {
    const std::size_t text = after_closing_fence(content, begin);
    if (text != content.npos) return found(begin - 1, begin - 1, text);
  }
  return {};
}

std::string_view detect_line_break(std::string_view content) noexcept {
  const auto cr = std::count(content.begin(), content.end(), '\r');
  const auto lf = std::count(content.begin(), content.end(), '\n');
  std::ptrdiff_t crlf = 0;
  for (auto i = content.find("\r\n"); i != content.npos; i = content.find("\r\n", i + 2)) ++crlf;
  if (cr == 0 && lf == 0) return "\n";
  if (cr == crlf && lf == crlf) return "\r\n";
  return cr > lf ? "\r" : "\n";
}

std::string_view first_line_break(std::string_view content) noexcept {
  std::string_view found;
  for (auto i = content.find_first_of("\r\n"); i != content.npos;
       i = content.find_first_of("\r\n", i)) {
    const auto here = content.substr(i, content.substr(i).starts_with("\r\n") ? 2 : 1);
    if (here == "\r") return "\r";
    if (found != "\n") found = here;
    i += here.size();
  }
  return found.empty() ? "\n" : found;
}

std::string with_line_feeds(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
    } else {
      out += '\n';
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
    }
  }
  return out;
}

}  // namespace cohub::hub
