#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// Items of structured header fields (RFC 8941), as rate limits are told in:
/// `"api";r=0;t=55`, blanks allowed.
namespace cohub::core {

/// Takes the first part, up to a semicolon, off the front of an item, without blanks around it.
std::string_view take_part(std::string_view& item) noexcept;

/// A parameter that is a whole number; nothing if it is not there, or no such number.
std::optional<std::uint64_t> number_parameter(std::string_view item,
                                              std::string_view name) noexcept;

}  // namespace cohub::core
