#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client.hpp"
#include "cohub/pretrained.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace cohub::model {

/// What `download_safetensors` does.
awaitable<std::filesystem::path> fetch_weights(client hub, std::string id,
                                               fetch_pretrained_options options);

/// Whether a name stands for weights in one file or in shards: it has a "{suffix}".
bool is_weights_pattern(std::string_view name) noexcept;

/// The single file that a pattern stands for; a name without "{suffix}" as it is.
std::string single_file_of(std::string pattern);

}  // namespace cohub::model
