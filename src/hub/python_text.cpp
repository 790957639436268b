#include "hub/python_text.hpp"

#include "hub/utf8.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace cohub::hub {

namespace {

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
  constexpr std::string_view hex = "0123456789abcdef";
  const bool in_double =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = in_double ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
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
    } else if (byte < 0x20 || byte == 0x7f) {
      ((out += "\\x") += hex[byte >> 4]) += hex[byte & 15];
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

}  // namespace cohub::hub
