#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cohub::core {

/// Lower-case hex digits, two a byte.
std::string to_hex(std::span<const std::byte> bytes);

/// Whether `text` is exactly `digits` lower-case hex digits.
bool is_hex(std::string_view text, std::size_t digits) noexcept;

}  // namespace cohub::core
