#include "cohub/tensor_dtype.hpp"

#include <array>
#include <cstddef>

namespace cohub {

namespace {

struct dtype_entry {
  std::string_view name;
  unsigned bits;
};

// In the order of the enumeration.
constexpr std::array<dtype_entry, 22> dtype_table{
    {{"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
     {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
     {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
     {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
     {"I64", 64},        {"U64", 64}}};
static_assert(dtype_table.size() == static_cast<std::size_t>(tensor_dtype::u64) + 1);

}  // namespace

std::string_view to_string(tensor_dtype type) noexcept {
  return dtype_table[static_cast<std::size_t>(type)].name;
}

std::optional<tensor_dtype> parse_tensor_dtype(std::string_view name) noexcept {
  for (std::size_t i = 0; i < dtype_table.size(); ++i)
    if (dtype_table[i].name == name) return static_cast<tensor_dtype>(i);
  return {};
}

unsigned bits_of(tensor_dtype type) noexcept {
  return dtype_table[static_cast<std::size_t>(type)].bits;
}

}  // namespace cohub
