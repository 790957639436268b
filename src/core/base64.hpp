#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cohub::core {

/// Standard alphabet with padding. Pieces whose length is a multiple of 3 may be encoded one by one
/// and joined.
std::string base64_encode(std::string_view bytes);

/// URL-safe alphabet with padding.
std::string base64url_encode(std::string_view bytes);

/// Nothing if `text` is not base64 of the standard alphabet with padding.
std::optional<std::string> base64_decode(std::string_view text);

/// Length of the encoding of `bytes` bytes.
constexpr std::size_t base64_length(std::size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }

}  // namespace cohub::core
