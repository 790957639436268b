#pragma once

#include "cohub/safetensors.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace cohub::model {

/// Writes a file in order, in pieces of at least 256 KiB but for the last and those of large
/// tensors.
/// @throws error  as `save_safetensors`, before the first piece for all that is wrong with names,
///                shapes and the header
void write_safetensors(std::vector<tensor_source> tensors, const save_safetensors_options& options,
                       const std::function<void(std::span<const std::byte>)>& out);

}  // namespace cohub::model
