#pragma once

#include "cohub/safetensors.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cohub::model {

/// The names of tensors whose dtype is none of the format's, with that dtype.
using unknown_dtypes = std::map<std::string, std::string, std::less<>>;

/// `parse_safetensors_header`, but a tensor of an unknown dtype is kept, noted in `unknown`, and
/// its bytes are not compared with its shape; its `tensor_info::dtype` means nothing.
safetensors_header parse_open_header(std::span<const std::byte> start_of_file,
                                     std::optional<std::uint64_t> file_size,
                                     std::string_view origin, const safetensors_options& options,
                                     unknown_dtypes& unknown);

}  // namespace cohub::model
