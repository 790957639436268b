#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace cohub::model {

/// How many bits a tensor of that shape has; nothing if no number can tell. In the order of the
/// shape, as the format's own reader does: a zero after an overflow is no cure.
inline std::optional<std::uint64_t> tensor_bits(std::span<const std::uint64_t> shape,
                                                std::uint64_t bits_each) {
  std::uint64_t bits = 1;
  for (const auto extent : shape)
    if (__builtin_mul_overflow(bits, extent, &bits)) return std::nullopt;
  if (__builtin_mul_overflow(bits, bits_each, &bits)) return std::nullopt;
  return bits;
}

}  // namespace cohub::model
