#include "cohub/error.hpp"
#include "cohub/save_sink.hpp"
#include "cohub/state_dict.hpp"

#include "core/throw_system.hpp"
#include "hub/repo_path.hpp"
#include "hub/utf8.hpp"
#include "io/file.hpp"
#include "model/private_folder.hpp"
#include "model/safetensors/filename_pattern.hpp"
#include "model/safetensors/shared_tensors.hpp"
#include "model/safetensors/tensor_bits.hpp"

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
  const auto bits = model::tensor_bits(tensor.shape, bits_of(tensor.dtype));
  if (!bits)
    throw error(errc::invalid_argument,
                "saving tensors: the shape of \"" + tensor.name.substr(0, 200) + "\" overflows");
  return *bits / 8;
}

/// What `save_state_dict` writes, before anything is.
struct planned_save {
  state_dict_split split{};
  std::vector<save_sink::file> files{};
  std::string index{};  ///< empty: a single file has none
};

void remove_file(const fs::path& path) {
  std::error_code failure;
  fs::remove(path, failure);
  if (failure)
    core::throw_system(failure.value(), "removing " + path.string() + ", which an older save left");
}

/// Removes what an older save left and this one does not replace: the file before the index, and
/// the shards last, so that what is found first is never what is half gone.
void remove_old(const fs::path& folder, const model::filename_pattern& pattern,
                const std::set<std::string>& replaced) {
  std::error_code failure;
  std::vector<fs::path> old;
  for (auto item = fs::directory_iterator(folder, failure); !failure && item != fs::end(item);
       item.increment(failure)) {
    const auto name = item->path().filename().string();
    if (pattern.matches(name) && !replaced.contains(name)) old.push_back(item->path());
  }
  std::sort(old.begin(), old.end(), [&](const fs::path& a, const fs::path& b) {
    return model::weight_file_rank(a.string()) > model::weight_file_rank(b.string());
  });
  if (failure) core::throw_system(failure.value(), "listing", folder);
  for (const auto& path : old) remove_file(path);
}

bool replaces_any(const fs::path& folder, const std::set<std::string>& names) {
  std::error_code ignored;  // then the renaming tells
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return fs::exists(fs::symlink_status(folder / name, ignored));
  });
}

void check_unique(const std::vector<tensor_source>& tensors) {
  std::set<std::string_view> names;
  for (const auto& tensor : tensors)
    if (!names.insert(tensor.name).second)
      throw error(errc::invalid_argument,
                  "saving tensors: the name \"" + tensor.name.substr(0, 200) + "\" occurs twice");
}

void check_text(std::string_view text, const char* what) {
  if (hub::find_invalid_utf8(text))
    throw error(errc::invalid_argument, std::string("saving tensors: ") + what + " is not UTF-8");
}

/// An index takes texts as they are, and what it replaces is removed once it is written.
void check_texts(const save_state_dict_options& options,
                 const std::vector<tensor_source>& tensors) {
  check_text(options.filename_pattern, "the pattern of file names");
  check_text(options.format, "the format");
  for (const auto& [key, value] : options.metadata) {
    check_text(key, "a key of the metadata");
    check_text(value, "a text of the metadata");
  }
  for (const auto& tensor : tensors) check_text(tensor.name, "a name");
}

/// A file of a save; with the metadata if it is the only one.
save_sink::file file_of(std::string name, const std::map<std::string, std::string>& metadata,
                        const save_state_dict_options& options) {
  save_sink::file file;
  file.name = std::move(name);
  if (!options.format.empty()) file.metadata["format"] = options.format;
  for (const auto& [key, value] : metadata) file.metadata[key] = value;
  return file;
}

/// The name that a file has in the folder and in the repository.
std::string sink_name(const std::string& name) {
  const auto checked = hub::check_download_path(name);
  const auto in_repo = hub::check_path_in_repo(name);
  if (!checked || !in_repo)
    throw error(checked ? in_repo.error() : checked.error(),
                "saving tensors as \"" + name.substr(0, 200) + "\"");
  return fs::path(*in_repo).lexically_normal().generic_string();
}

[[noreturn]] void refuse_twice(const std::string& name) {
  throw error(errc::invalid_argument,
              "saving tensors as \"" + name.substr(0, 200) + "\": that file was saved already");
}

planned_save plan(std::vector<tensor_source> tensors, const save_state_dict_options& options) {
  check_texts(options, tensors);
  const model::filename_pattern pattern(options.filename_pattern);
  if (!pattern.single_file().ends_with(".safetensors"))
    throw error(errc::invalid_argument, "saving tensors as \"" + pattern.single_file() +
                                            "\": the name must end in .safetensors");
  check_unique(tensors);
  const auto dropped = model::find_shared_tensors(tensors, options.shared_tensors_to_discard);
  std::erase_if(tensors, [&](const auto& tensor) { return dropped.contains(tensor.name); });
  auto metadata = options.metadata;
  for (const auto& [name, kept] : dropped) metadata.emplace(name, kept);

  std::vector<state_dict_item> items;
  items.reserve(tensors.size());
  for (const auto& tensor : tensors) items.push_back({tensor.name, byte_count(tensor), {}});
  const state_dict_split_options splitting{.filename_pattern = options.filename_pattern,
                                           .max_shard_size = options.max_shard_size};
  planned_save result;
  result.split = split_state_dict_into_shards(items, splitting);
  if (result.split.is_sharded()) result.index = index_text(result.split, metadata);

  std::map<std::string, std::string> of_file;
  if (!result.split.is_sharded()) of_file = std::move(metadata);
  std::unordered_map<std::string, std::size_t> positions;
  for (std::size_t i = 0; i < tensors.size(); ++i) positions.emplace(tensors[i].name, i);
  for (const auto& planned : result.split.files) {
    auto& file = result.files.emplace_back(file_of(planned.name, of_file, options));
    file.tensors.reserve(planned.tensors.size());
    for (const auto& name : planned.tensors)
      file.tensors.push_back(std::move(tensors[positions.at(name)]));
  }
  return result;
}

}  // namespace

state_dict_split save_state_dict(const fs::path& folder, std::vector<tensor_source> tensors,
                                 named<save_state_dict_options> options) {
  auto planned = plan(std::move(tensors), *options);
  const model::filename_pattern pattern(options->filename_pattern);
  io::create_directories(folder);
  const model::private_folder pending(folder);
  std::set<std::string> replaced;
  for (auto& file : planned.files) {
    const save_safetensors_options writing{.metadata = std::move(file.metadata)};
    save_safetensors(pending.path() / file.name, std::move(file.tensors), writing);
    replaced.insert(file.name);
  }
  // Of shards of two saves none may be taken for those that an index names.
  if (!planned.index.empty() && replaces_any(folder, replaced))
    remove_file(folder / pattern.index_file());
  for (const auto& name : replaced) io::rename_file(pending.path() / name, folder / name);
  if (!planned.index.empty()) {
    io::write_file_atomically(folder / pattern.index_file(), planned.index, io::durability::process,
                              pending.path());
    replaced.insert(pattern.index_file());
  }
  if (options->is_main_process) remove_old(folder, pattern, replaced);
  return std::move(planned.split);
}

void save_sink::save_safetensors(std::string name, std::vector<tensor_source> tensors,
                                 std::map<std::string, std::string> metadata) {
  name = sink_name(name);
  if (!names_.insert(name).second) refuse_twice(name);
  files_.push_back({std::move(name), std::move(tensors), std::move(metadata)});
}

state_dict_split save_sink::save_state_dict(std::vector<tensor_source> tensors,
                                            named<save_state_dict_options> options) {
  auto planned = plan(std::move(tensors), *options);
  const model::filename_pattern pattern(options->filename_pattern);
  // Shards beside a single file, or beside those of another count, would not be found.
  const auto family = sink_name(pattern.single_file());
  for (const auto& name : names_)
    if (model::weight_family(name) == family) refuse_twice(name);
  if (planned.files.empty()) planned.files.push_back(file_of(family, options->metadata, *options));
  is_main_process_ = is_main_process_ && options->is_main_process;
  for (auto& planned_file : planned.files) {
    names_.insert(planned_file.name);
    files_.push_back(std::move(planned_file));
  }
  if (!planned.index.empty()) {
    names_.insert(pattern.index_file());
    texts_.push_back({pattern.index_file(), std::move(planned.index)});
  }
  return std::move(planned.split);
}

}  // namespace cohub
