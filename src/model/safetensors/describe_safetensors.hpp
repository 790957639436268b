#pragma once

#include "cohub/remote_safetensors.hpp"

#include "model/safetensors/safetensors_header.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace cohub::model {

/// A header in the words of the public metadata.
/// @param unknown  the dtypes that `parse_open_header` noted
safetensors_file_metadata describe_safetensors(const safetensors_header& header,
                                               const unknown_dtypes& unknown);

/// Elements by dtype, of all files.
std::map<std::string, std::uint64_t> sum_parameter_counts(
    const std::map<std::string, safetensors_file_metadata, std::less<>>& files);

}  // namespace cohub::model
