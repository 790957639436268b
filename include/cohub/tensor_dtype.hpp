#pragma once

#include <complex>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace cohub {

/// Element types of safetensors, in the order of the format: by ascending alignment.
enum class tensor_dtype : std::uint8_t {
  boolean,
  f4,
  f6_e2m3,
  f6_e3m2,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,
  f64,
  i64,
  u64
};

/// The name in a file's header: "F32", "BF16", "F8_E4M3", ...
std::string_view to_string(tensor_dtype type) noexcept;
/// Nothing for a name that is not one of the format's.
std::optional<tensor_dtype> parse_tensor_dtype(std::string_view name) noexcept;
/// Size of one element in bits; 4 and 6 for the packed types, whose elements share bytes.
unsigned bits_of(tensor_dtype type) noexcept;

namespace detail {

/// Of integers by size and sign, so that `long` and `long long` both have one; of truth values and
/// characters none.
template <class T>
constexpr std::optional<tensor_dtype> dtype_of_integer() noexcept {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    constexpr bool has_sign = std::is_same_v<T, std::make_signed_t<T>>;
    if constexpr (has_sign || std::is_same_v<T, std::make_unsigned_t<T>>) {
      if (sizeof(T) == 1) return has_sign ? tensor_dtype::i8 : tensor_dtype::u8;
      if (sizeof(T) == 2) return has_sign ? tensor_dtype::i16 : tensor_dtype::u16;
      if (sizeof(T) == 4) return has_sign ? tensor_dtype::i32 : tensor_dtype::u32;
      if (sizeof(T) == 8) return has_sign ? tensor_dtype::i64 : tensor_dtype::u64;
    }
  }
  return {};
}

}  // namespace detail

/// The element type that stands for a C++ type: integers by size and sign, `float`, `double`,
/// `std::complex<float>`. Half-precision and 8-bit floats have none: give the type by hand with
/// their bits as `std::uint16_t` or `std::uint8_t`.
template <class T>
inline constexpr std::optional<tensor_dtype> dtype_of = detail::dtype_of_integer<T>();
template <>
inline constexpr std::optional<tensor_dtype> dtype_of<float> = tensor_dtype::f32;
template <>
inline constexpr std::optional<tensor_dtype> dtype_of<double> = tensor_dtype::f64;
template <>
inline constexpr std::optional<tensor_dtype> dtype_of<std::complex<float>> = tensor_dtype::c64;

/// Whether elements of `type` can be read as `T`: the C++ type itself; `std::uint16_t` also for the
/// bits of F16 and BF16; `std::uint8_t` also for BOOL and the bits of 8-bit floats.
template <class T>
constexpr bool holds(tensor_dtype type) noexcept {
  static_assert(dtype_of<T>.has_value(), "no tensor element is of this C++ type");
  if (dtype_of<T> == type) return true;
  switch (type) {
    case tensor_dtype::f16:
    case tensor_dtype::bf16:
      return dtype_of<T> == tensor_dtype::u16;
    case tensor_dtype::boolean:
    case tensor_dtype::f8_e5m2:
    case tensor_dtype::f8_e4m3:
    case tensor_dtype::f8_e8m0:
    case tensor_dtype::f8_e4m3fnuz:
    case tensor_dtype::f8_e5m2fnuz:
      return dtype_of<T> == tensor_dtype::u8;
    default:
      return false;
  }
}

}  // namespace cohub
