#include "cohub/safetensors_model.hpp"

#include "cohub/error.hpp"

#include "core/throw_system.hpp"
#include "io/file.hpp"
#include "model/safetensors/filename_pattern.hpp"
#include "model/safetensors/safetensors_index.hpp"

#include <algorithm>
#include <set>

namespace cohub {

namespace fs = std::filesystem;

struct safetensors_model::content {
  fs::path origin{};
  bool sharded = false;
  std::vector<safetensors_file> files{};
  std::map<std::string, std::string> metadata{};
  std::vector<tensor_view> tensors{};
  std::vector<std::size_t> by_name{};  // positions in `tensors`

  void add(const safetensors_file& file, const std::set<std::string_view>* wanted) {
    for (std::size_t i = 0; i < file.size(); ++i) {
      const auto tensor = file[i];
      if (wanted == nullptr || wanted->contains(tensor.name())) tensors.push_back(tensor);
    }
    files.push_back(file);
  }
  void sort_names() {
    by_name.resize(tensors.size());
    for (std::size_t i = 0; i < by_name.size(); ++i) by_name[i] = i;
    std::sort(by_name.begin(), by_name.end(), [this](std::size_t a, std::size_t b) {
      return tensors[a].name() < tensors[b].name();
    });
  }
};

namespace {

/// Whether a file is a shard beside which there must be others.
bool is_one_of_several(const fs::path& file) {
  const auto name = file.filename().string();
  const auto count = model::shard_count(name);
  return !count.empty() && count != "00001";
}

/// The file or the index that stands for a folder's model.
fs::path entry_of(const fs::path& path, const model::filename_pattern& pattern) {
  if (!fs::is_directory(path)) return path;
  for (const auto& name : {pattern.single_file(), pattern.index_file()})
    if (fs::exists(path / name)) return path / name;
  std::vector<fs::path> found;
  for (const auto& item : fs::directory_iterator(path))
    if (item.path().extension() == ".safetensors") found.push_back(item.path());
  const bool is_part = found.size() == 1 && is_one_of_several(found.front());
  if (found.size() == 1 && !is_part) return found.front();
  std::string what_is_there;
  if (is_part) what_is_there = ", which has a part of a model alone";
  if (found.size() > 1) what_is_there = ", which has several safetensors files";
  throw error(errc::not_safetensors_repo, "looking for " + pattern.single_file() + " or " +
                                              pattern.index_file() + " in " + path.string() +
                                              what_is_there);
}

safetensors_file open_shard(const fs::path& index, const std::string& name,
                            const safetensors_options& limits) {
  try {
    return safetensors_file(index.parent_path() / name, limits);
  } catch (const error& failure) {
    if (failure.code() != boost::system::errc::no_such_file_or_directory) throw;
  }
  throw error(errc::entry_not_found, "opening the shard " + name + " that " + index.string() +
                                         " names: it is missing; download or save the model again");
}

}  // namespace

safetensors_model::safetensors_model(const fs::path& path,
                                     named<safetensors_model_options> options) {
  const model::filename_pattern pattern(options->filename_pattern);
  const safetensors_options limits{.max_header_bytes = options->max_header_bytes};
  auto opened = std::make_shared<content>();
  try {
    opened->origin = entry_of(path, pattern);
  } catch (const fs::filesystem_error& failure) {
    core::throw_system(failure.code().value(), "looking for a model in", path);
  }
  if (opened->origin.extension() == ".json") {
    const auto origin = opened->origin.string();
    const auto index = model::parse_safetensors_index(
        io::read_file(opened->origin, options->max_index_bytes), origin);
    std::map<std::string_view, std::set<std::string_view>> wanted;
    for (const auto& [tensor, file] : index.weight_map) wanted[file].insert(tensor);
    opened->sharded = true;
    opened->files.reserve(index.files.size());
    for (const auto& name : index.files) {
      const auto& tensors = wanted[name];
      const auto before = opened->tensors.size();
      const auto shard = open_shard(opened->origin, name, limits);
      opened->add(shard, &tensors);
      if (opened->tensors.size() - before == tensors.size()) continue;
      for (const auto tensor : tensors)
        if (!shard.find(tensor))
          throw error(errc::invalid_safetensors, "reading " + origin + ": it says that \"" +
                                                     std::string(tensor.substr(0, 200)) +
                                                     "\" is in " + name + ", which lacks it");
    }
    if (index.metadata)
      for (const auto& [key, value] : *index.metadata)
        if (const auto* text = value.if_string())
          opened->metadata.emplace(std::string(key), std::string(*text));
  } else {
    opened->add(safetensors_file(opened->origin, limits), nullptr);
    opened->metadata = opened->files.front().metadata();
  }
  opened->sort_names();
  content_ = std::move(opened);
}

const fs::path& safetensors_model::path() const noexcept { return content_->origin; }
bool safetensors_model::sharded() const noexcept { return content_->sharded; }
const std::vector<safetensors_file>& safetensors_model::files() const noexcept {
  return content_->files;
}
const std::map<std::string, std::string>& safetensors_model::metadata() const noexcept {
  return content_->metadata;
}
std::size_t safetensors_model::size() const noexcept { return content_->tensors.size(); }
const tensor_view& safetensors_model::operator[](std::size_t index) const {
  return content_->tensors[index];
}

std::optional<tensor_view> safetensors_model::find(std::string_view name) const {
  const auto& tensors = content_->tensors;
  const auto found = std::lower_bound(content_->by_name.begin(), content_->by_name.end(), name,
                                      [&](std::size_t position, std::string_view wanted) {
                                        return tensors[position].name() < wanted;
                                      });
  if (found == content_->by_name.end() || tensors[*found].name() != name) return {};
  return tensors[*found];
}

tensor_view safetensors_model::tensor(std::string_view name) const {
  if (auto found = find(name)) return *found;
  const auto kept = kept_name(name);
  throw error(
      errc::invalid_argument,
      "looking for tensor \"" + std::string(name) + "\", which " + content_->origin.string() +
          " does not have" +
          (kept == name ? std::string() : "; its values are in \"" + std::string(kept) + '"'));
}

std::string_view safetensors_model::kept_name(std::string_view name) const {
  if (find(name)) return name;
  const auto entry = content_->metadata.find(std::string(name));
  if (entry == content_->metadata.end() || !find(entry->second)) return name;
  return entry->second;
}

std::map<std::string, std::uint64_t> safetensors_model::parameter_count() const {
  std::map<std::string, std::uint64_t> counts;
  for (const auto& tensor : content_->tensors)
    counts[std::string(to_string(tensor.dtype()))] += tensor.element_count();
  return counts;
}

}  // namespace cohub
