#include "hub/python_text.hpp"

#include "hub/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace cohub::hub {

namespace {

void append_unit(std::string& out, std::uint32_t unit) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[(unit >> shift) & 15];
}

struct code_range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

/// What Python does not take for printable: controls and formats, separators but the space, private
/// use, and large parts that nothing is assigned in (small ones vary with the version of Unicode).
constexpr std::array<code_range, 26> not_printable{
    {{0x0, 0x1f},        {0x7f, 0xa0},       {0xad, 0xad},       {0x600, 0x605},
     {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},
     {0x8e2, 0x8e2},     {0x1680, 0x1680},   {0x180e, 0x180e},   {0x2000, 0x200f},
     {0x2028, 0x202f},   {0x205f, 0x206f},   {0x3000, 0x3000},   {0xd800, 0xf8ff},
     {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},   {0x110bd, 0x110bd},
     {0x110cd, 0x110cd}, {0x13430, 0x13438}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
     {0x40000, 0xe00ff}, {0xe01f0, 0x10ffff}}};

bool is_printable(std::uint32_t point) noexcept {
  if ((point & 0xfffe) == 0xfffe) return false;  // the two last of each plane are no characters
  return std::none_of(not_printable.begin(), not_printable.end(), [point](const code_range& range) {
    return point >= range.first && point <= range.last;
  });
}

/// "\xXX", "\uXXXX" or "\UXXXXXXXX": the shortest that holds the character.
void append_escape(std::string& out, std::uint32_t point) {
  constexpr std::string_view hex = "0123456789abcdef";
  const int digits = point < 0x100 ? 2 : point < 0x10000 ? 4 : 8;
  (out += '\\') += digits == 2 ? 'x' : digits == 4 ? 'u' : 'U';
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += hex[(point >> shift) & 15];
}

std::string python_repr(const card_value& value) {
  if (value.is_text()) return python_quoted(value.as_text());
  return python_text(value);
}

}  // namespace

std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific)
                       .ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const auto e = text.find('e');
  int exponent = 0;
  const auto* first = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(first, text.data() + text.size(), exponent);

  std::string out(text.substr(0, text[0] == '-' ? 1 : 0));
  std::string digits;
  for (const char c : text.substr(out.size(), e - out.size()))
    if (c != '.') digits += c;

  const auto count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    out += digits[0];
    if (count > 1) out += '.' + digits.substr(1);
    const int magnitude = std::abs(exponent);
    out += exponent < 0 ? "e-" : "e+";
    if (magnitude < 10) out += '0';
    return out + std::to_string(magnitude);
  }
  if (exponent < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-exponent - 1), '0');
    return out + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) {
    digits.append(whole - digits.size(), '0');
    return out + digits + ".0";
  }
  return out + digits.substr(0, whole) + '.' + digits.substr(whole);
}

std::string python_quoted(std::string_view text) {
  const bool in_double =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = in_double ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto point = decode_utf8(text, i);
    const std::size_t length = point ? point->length : 1;
    if (c == quote || c == '\\') {
      (out += '\\') += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (point && !is_printable(point->value)) {
      append_escape(out, point->value);
    } else {
      out += text.substr(i, length);
    }
    i += length;
  }
  return out += quote;
}

std::string python_text(const card_value& value) {
  using kind = card_value::kind;
  switch (value.type()) {
    case kind::null:
      return "None";
    case kind::boolean:
      return value.as_bool() ? "True" : "False";
    case kind::integer:
      return value.source().empty() ? std::to_string(value.as_integer()) : value.source();
    case kind::real:
      return value.source().empty() ? python_float(value.as_real()) : value.source();
    case kind::text:
      return value.as_text();
    case kind::list: {
      std::string out = "[";
      for (const auto& item : value.as_list()) {
        if (out.size() > 1) out += ", ";
        out += python_repr(item);
      }
      return out + ']';
    }
    case kind::map: {
      std::string out = "{";
      for (const auto& [key, item] : value.as_map()) {
        if (out.size() > 1) out += ", ";
        out += python_quoted(key) + ": " + python_repr(item);
      }
      return out + '}';
    }
  }
  return {};
}

std::optional<std::string> python_json_string(std::string_view text) {
  constexpr std::string_view escaped = "\"\\\n\r\t\b\f";
  constexpr std::string_view letters = "\"\\nrtbf";
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto point = decode_utf8(text, i);
    if (!point) return {};
    i += point->length;
    const auto c = point->value;
    if (c < 0x80 && escaped.find(static_cast<char>(c)) != escaped.npos) {
      (out += '\\') += letters[escaped.find(static_cast<char>(c))];
    } else if (c >= 0x20 && c < 0x7f) {
      out += static_cast<char>(c);
    } else if (c < 0x10000) {
      append_unit(out, c);
    } else {
      append_unit(out, 0xd800 + ((c - 0x10000) >> 10));
      append_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }
  return out + '"';
}

}  // namespace cohub::hub
