#include "hub/rate_limit.hpp"

#include "core/structured_field.hpp"

namespace cohub::hub {

namespace {

constexpr std::size_t name_limit = 60;

std::optional<std::string_view> quoted(std::string_view part) noexcept {
  if (part.size() < 2 || part.size() > name_limit || part.front() != '"' || part.back() != '"')
    return {};
  return part.substr(1, part.size() - 2);
}

}  // namespace

std::optional<rate_limit> parse_rate_limit(std::string_view limit, std::string_view policy) {
  const auto bucket = quoted(core::take_part(limit));
  const auto left = core::number_parameter(limit, "r");
  const auto seconds = core::number_parameter(limit, "t");
  if (!bucket || !left || !seconds) return {};
  rate_limit result;
  result.bucket = *bucket;
  result.left = *left;
  result.seconds = *seconds;
  result.quota = core::number_parameter(policy, "q");
  result.window = core::number_parameter(policy, "w");
  return result;
}

}  // namespace cohub::hub
