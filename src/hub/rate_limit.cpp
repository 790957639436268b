#include "hub/rate_limit.hpp"

#include "core/byte_range.hpp"
#include "core/trim.hpp"

#include <algorithm>

namespace cohub::hub {

namespace {

constexpr std::size_t name_limit = 60;

/// Takes the next part of a structured field off its front.
std::string_view take_part(std::string_view& text) noexcept {
  const auto end = std::min(text.find(';'), text.size());
  const auto part = core::trim(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::optional<std::string_view> quoted(std::string_view part) noexcept {
  if (part.size() < 2 || part.size() > name_limit || part.front() != '"' || part.back() != '"')
    return {};
  return part.substr(1, part.size() - 2);
}

std::optional<std::uint64_t> parameter(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto part = take_part(text);
    const auto equals = part.find('=');
    if (equals != part.npos && core::trim(part.substr(0, equals)) == name)
      return core::parse_decimal(core::trim(part.substr(equals + 1)));
  }
  return {};
}

}  // namespace

std::optional<rate_limit> parse_rate_limit(std::string_view limit, std::string_view policy) {
  const auto bucket = quoted(take_part(limit));
  const auto left = parameter(limit, "r");
  const auto seconds = parameter(limit, "t");
  if (!bucket || !left || !seconds) return {};
  rate_limit result;
  result.bucket = *bucket;
  result.left = *left;
  result.seconds = *seconds;
  result.quota = parameter(policy, "q");
  result.window = parameter(policy, "w");
  return result;
}

}  // namespace cohub::hub
