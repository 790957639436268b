#include "core/structured_field.hpp"

#include "core/byte_range.hpp"
#include "core/trim.hpp"

#include <algorithm>

namespace cohub::core {

std::string_view take_part(std::string_view& item) noexcept {
  const auto end = std::min(item.find(';'), item.size());
  const auto part = trim(item.substr(0, end));
  item.remove_prefix(std::min(end + 1, item.size()));
  return part;
}

std::optional<std::uint64_t> number_parameter(std::string_view item,
                                              std::string_view name) noexcept {
  while (!item.empty()) {
    const auto part = take_part(item);
    const auto equals = part.find('=');
    if (equals != part.npos && trim(part.substr(0, equals)) == name)
      return parse_decimal(trim(part.substr(equals + 1)));
  }
  return {};
}

}  // namespace cohub::core
