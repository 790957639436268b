#include "model/safetensors/safetensors_index.hpp"

#include "cohub/error.hpp"

#include "hub/json_text.hpp"
#include "hub/repo_path.hpp"

#include <algorithm>
#include <utility>

namespace cohub::model {

namespace {

namespace json = boost::json;

constexpr std::size_t most_files = 10'000;
constexpr std::size_t deepest = 32;

[[noreturn]] void fail(std::string_view origin, const std::string& reason) {
  throw error(errc::invalid_safetensors, "reading " + std::string(origin) + ": " + reason);
}

/// Whether a name stays beside the index, as POSIX reads it and as Windows does.
bool is_shard_name(std::string_view name) {
  return name.ends_with(".safetensors") && hub::check_download_path(name).has_value();
}

}  // namespace

safetensors_index parse_safetensors_index(std::string_view text, std::string_view origin) {
  auto read = hub::read_json_text(text, deepest);
  if (read.failure) fail(origin, read.failure.message());
  json::value value = std::move(read.value);
  auto* const whole = value.if_object();
  const auto* const weights = whole != nullptr ? whole->if_contains("weight_map") : nullptr;
  if (weights == nullptr || !weights->is_object()) fail(origin, "it has no weight_map");

  safetensors_index index;
  if (auto* const metadata = whole->if_contains("metadata"); metadata && !metadata->is_null()) {
    if (!metadata->is_object()) fail(origin, "its metadata is no object");
    index.metadata = metadata->get_object();
  }
  for (const auto& [tensor, place] : weights->get_object()) {
    const auto* const text_of_place = place.if_string();
    const std::string_view name(tensor.data(), tensor.size());
    if (text_of_place == nullptr)
      fail(origin, "no file is named for \"" + std::string(name.substr(0, 200)) + '"');
    const std::string_view file(text_of_place->data(), text_of_place->size());
    if (!is_shard_name(file))
      fail(origin, "\"" + std::string(file.substr(0, 200)) + "\" cannot be the name of a shard");
    index.weight_map.emplace(name, file);
    index.files.emplace_back(file);
  }
  std::sort(index.files.begin(), index.files.end());
  index.files.erase(std::unique(index.files.begin(), index.files.end()), index.files.end());
  if (index.files.size() > most_files)
    fail(origin, "it names " + std::to_string(index.files.size()) + " files, at most " +
                     std::to_string(most_files) + " are read");
  return index;
}

}  // namespace cohub::model
