#pragma once

#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::model {

/// Where the tensors of a sharded model are.
struct safetensors_index {
  std::optional<boost::json::object> metadata{};
  std::map<std::string, std::string, std::less<>> weight_map{};  ///< name of a tensor -> file
  std::vector<std::string> files{};                              ///< each once, sorted
};

/// Reads `model.safetensors.index.json` (mixin-and-cards, section 5.5). Files are named beside the
/// index; a name that could lead elsewhere is refused, and more than 10,000 files.
/// @param origin  name of the index, for errors
/// @throws error  errc::invalid_safetensors
safetensors_index parse_safetensors_index(std::string_view text, std::string_view origin);

}  // namespace cohub::model
