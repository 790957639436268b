#include "core/byte_range.hpp"

#include "core/trim.hpp"

#include <algorithm>
#include <charconv>

namespace cohub::core {

namespace {

/// The text after "bytes" (in any case) and `separator`.
std::optional<std::string_view> after_unit(std::string_view text, char separator) {
  text = trim(text);
  constexpr std::string_view unit = "bytes";
  if (text.size() < unit.size()) return {};
  for (std::size_t i = 0; i < unit.size(); ++i)
    if ((text[i] | 0x20) != unit[i]) return {};
  text.remove_prefix(unit.size());
  if (separator == '=') text = trim(text);
  if (!text.starts_with(separator)) return {};
  return trim(text.substr(1));
}

/// The number; the largest one for what is larger.
std::optional<std::uint64_t> parse_clamped(std::string_view text) {
  if (const auto value = parse_decimal(text)) return value;
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return {};
  return UINT64_MAX;
}

}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return {};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::string range_header(byte_range range) {
  return "bytes=" + std::to_string(range.begin) + "-" + std::to_string(range.end - 1);
}

std::optional<content_range> parse_content_range(std::string_view text) {
  const auto rest = after_unit(text, ' ');
  if (!rest) return {};
  const auto slash = rest->find('/');
  if (slash == rest->npos) return {};
  const auto span = rest->substr(0, slash);
  const auto total = rest->substr(slash + 1);
  content_range result;
  if (total != "*") {
    result.total = parse_decimal(total);
    if (!result.total) return {};
  }
  if (span == "*") return result;
  const auto dash = span.find('-');
  if (dash == span.npos) return {};
  const auto first = parse_decimal(span.substr(0, dash));
  const auto last = parse_decimal(span.substr(dash + 1));
  if (!first || !last || *last < *first || *last == UINT64_MAX) return {};
  if (result.total && *last >= *result.total) return {};
  result.range = byte_range{*first, *last + 1};
  return result;
}

requested_range parse_range_header(std::string_view text, std::uint64_t size) {
  requested_range whole;
  whole.range = {0, size};
  const auto rest = after_unit(text, '=');
  if (!rest || rest->find(',') != rest->npos) return whole;
  const auto dash = rest->find('-');
  if (dash == rest->npos) return whole;
  const auto first_text = trim(rest->substr(0, dash));
  const auto last_text = trim(rest->substr(dash + 1));
  const auto first = parse_clamped(first_text);
  const auto last = parse_clamped(last_text);
  if ((!first_text.empty() && !first) || (!last_text.empty() && !last) || (!first && !last))
    return whole;
  requested_range part;
  part.what = requested_range::outcome::part;
  if (!first) {
    if (*last == 0 || size == 0) {
      part.what = requested_range::outcome::unsatisfiable;
      return part;
    }
    part.range = {size - std::min(*last, size), size};
    return part;
  }
  if (last && *last < *first) return whole;
  if (*first >= size) {
    part.what = requested_range::outcome::unsatisfiable;
    return part;
  }
  part.range = {*first, last ? std::min(*last, size - 1) + 1 : size};
  return part;
}

}  // namespace cohub::core
