#include "cohub/error.hpp"
#include "cohub/state_dict.hpp"

#include "io/file.hpp"
#include "model/filename_pattern.hpp"
#include "model/shared_tensors.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <set>
#include <system_error>
#include <unordered_map>

namespace cohub {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string json_text(std::string_view text) {
  return json::serialize(json::string(text.data(), text.size()));
}

/// The text of an index, laid out as Python does it: unsorted, indented by two.
std::string index_text(const state_dict_split& split,
                       const std::map<std::string, std::string>& metadata) {
  std::string text =
      "{\n  \"metadata\": {\n    \"total_size\": " + std::to_string(split.total_size);
  for (const auto& [key, value] : metadata)
    if (key != "total_size") text += ",\n    " + json_text(key) + ": " + json_text(value);
  text += "\n  },\n  \"weight_map\": {";
  bool first = true;
  for (const auto& file : split.files)
    for (const auto& tensor : file.tensors) {
      text += (first ? "\n    " : ",\n    ") + json_text(tensor) + ": " + json_text(file.name);
      first = false;
    }
  return text + "\n  }\n}";
}

std::uint64_t byte_count(const tensor_source& tensor) {
  std::uint64_t bits = bits_of(tensor.dtype);
  bool overflow = false;
  for (const auto extent : tensor.shape)
    overflow = __builtin_mul_overflow(bits, extent, &bits) || overflow;
  if (overflow)
    throw error(errc::invalid_argument,
                "saving tensors: the shape of \"" + tensor.name.substr(0, 200) + "\" overflows");
  return bits / 8;
}

/// Where files are written before they are put in place: the part of a folder that uploads leave
/// out, so that what a kill leaves is never pushed.
class pending_files {
 public:
  explicit pending_files(const fs::path& destination)
      : private_part_(destination / ".cache" / "huggingface"), folder_(make(private_part_)) {}
  pending_files(pending_files&&) = delete;
  ~pending_files() {
    std::error_code ignored;
    folder_.reset();
    fs::remove(private_part_, ignored);  // both only if nothing else is in them
    fs::remove(private_part_.parent_path(), ignored);
  }

  const fs::path& path() const noexcept { return folder_->path(); }

 private:
  static std::optional<io::temporary_directory> make(const fs::path& parent) {
    io::create_directories(parent);
    return std::optional<io::temporary_directory>(std::in_place, parent);
  }

  fs::path private_part_;
  std::optional<io::temporary_directory> folder_;
};

void write_shards(const fs::path& folder, const state_dict_split& split,
                  std::vector<tensor_source> tensors, const save_state_dict_options& options,
                  const std::map<std::string, std::string>& metadata) {
  std::unordered_map<std::string, std::size_t> positions;
  for (std::size_t i = 0; i < tensors.size(); ++i) positions.emplace(tensors[i].name, i);
  save_safetensors_options writing;
  if (!options.format.empty()) writing.metadata["format"] = options.format;
  if (!split.is_sharded())
    for (const auto& [key, value] : metadata) writing.metadata[key] = value;
  for (const auto& file : split.files) {
    std::vector<tensor_source> content;
    content.reserve(file.tensors.size());
    for (const auto& name : file.tensors) content.push_back(std::move(tensors[positions.at(name)]));
    save_safetensors(folder / file.name, std::move(content), writing);
  }
}

/// Removes what an older save left and this one does not replace. The index goes first: without it
/// nobody takes the shards for a model.
void remove_old(const fs::path& folder, const model::filename_pattern& pattern,
                const std::set<std::string>& replaced) {
  std::error_code failure;
  fs::remove(folder / pattern.index_file(), failure);
  std::vector<fs::path> old;
  for (auto item = fs::directory_iterator(folder, failure); !failure && item != fs::end(item);
       item.increment(failure)) {
    const auto name = item->path().filename().string();
    if (pattern.matches(name) && !replaced.contains(name)) old.push_back(item->path());
  }
  for (const auto& path : old) {
    if (!failure) fs::remove(path, failure);
    if (failure)
      throw error({failure.value(), boost::system::system_category()},
                  "removing " + path.string() + ", which an older save left");
  }
}

void check_unique(const std::vector<tensor_source>& tensors) {
  std::set<std::string_view> names;
  for (const auto& tensor : tensors)
    if (!names.insert(tensor.name).second)
      throw error(errc::invalid_argument,
                  "saving tensors: the name \"" + tensor.name.substr(0, 200) + "\" occurs twice");
}

}  // namespace

state_dict_split save_state_dict(const fs::path& folder, std::vector<tensor_source> tensors,
                                 named<save_state_dict_options> options) {
  const model::filename_pattern pattern(options->filename_pattern);
  if (!pattern.single_file().ends_with(".safetensors"))
    throw error(errc::invalid_argument, "saving tensors as \"" + pattern.single_file() +
                                            "\": the name must end in .safetensors");
  check_unique(tensors);
  const auto dropped = model::find_shared_tensors(tensors, options->shared_tensors_to_discard);
  std::erase_if(tensors, [&](const auto& tensor) { return dropped.contains(tensor.name); });
  auto metadata = options->metadata;
  for (const auto& [name, kept] : dropped) metadata.emplace(name, kept);

  std::vector<state_dict_item> items;
  items.reserve(tensors.size());
  for (const auto& tensor : tensors) items.push_back({tensor.name, byte_count(tensor), {}});
  const state_dict_split_options splitting{.filename_pattern = options->filename_pattern,
                                           .max_shard_size = options->max_shard_size};
  auto split = split_state_dict_into_shards(items, splitting);

  io::create_directories(folder);
  const pending_files pending(folder);
  write_shards(pending.path(), split, std::move(tensors), *options, metadata);
  std::set<std::string> replaced;
  for (const auto& file : split.files) replaced.insert(file.name);
  if (options->is_main_process) remove_old(folder, pattern, replaced);
  for (const auto& name : replaced) io::rename_file(pending.path() / name, folder / name);
  if (split.is_sharded())
    io::write_file_atomically(folder / pattern.index_file(), index_text(split, metadata),
                              io::durability::process, pending.path());
  return split;
}

}  // namespace cohub
