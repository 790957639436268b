#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cohub::hub {

/// One character of UTF-8 text and its length in bytes.
struct code_point {
  std::uint32_t value = 0;
  std::size_t length = 0;
};

/// The character at `offset`; nothing if the bytes there are not valid UTF-8 (overlong forms and
/// surrogates are not).
std::optional<code_point> decode_utf8(std::string_view text, std::size_t offset) noexcept;

/// Offset of the first byte that is not part of valid UTF-8.
std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept;

/// The text with U+FFFD for each byte that is not part of valid UTF-8: JSON can hold it.
std::string as_utf8(std::string_view text);

void append_utf8(std::string& text, std::uint32_t code_point);

}  // namespace cohub::hub
