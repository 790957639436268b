#pragma once

#include "cohub/named.hpp"
#include "cohub/safetensors.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohub {

struct safetensors_model_options {
  /// Names the file and the index that are looked for in a folder.
  std::string filename_pattern = "model{suffix}.safetensors";
  std::uint64_t max_header_bytes = 100'000'000;  ///< of one file's header
  std::uint64_t max_index_bytes = 100'000'000;
};

/// The weights of a model on disk, of one file or of many shards, as one set of tensors. All files
/// are mapped and nothing is read but index and headers until a tensor is looked at. Cheap to copy;
/// copies share the mappings.
///
/// @par Threads  Opening blocks on the disk, and so may looking at a tensor.
class safetensors_model {
 public:
  /// Opens a safetensors file, an index (`*.index.json`) with its shards, or a folder: by its
  /// `model.safetensors`, else its index, else the only safetensors file in it, whatever its name,
  /// unless it is one shard of several. `download_safetensors` looks for the first two in the same
  /// order, here and on the Hub; Python's load_torch_model() takes the index first.
  ///
  /// @throws error  errc::not_safetensors_repo: a folder without either, or with shards or several
  ///                files and no index; errc::entry_not_found: a shard that the index names is
  ///                missing; errc::invalid_safetensors: a file or the index breaks the format, or a
  ///                shard lacks a tensor that the index says it has; the system's code: there is no
  ///                such path
  explicit safetensors_model(const std::filesystem::path& path,
                             named<safetensors_model_options> options = {});

  /// The file, or the index of the shards.
  const std::filesystem::path& path() const noexcept;
  bool sharded() const noexcept;
  /// In the order of their names.
  const std::vector<safetensors_file>& files() const noexcept;
  /// Of the index if there is one, text members only; else of the file.
  const std::map<std::string, std::string>& metadata() const noexcept;

  /// Number of tensors.
  std::size_t size() const noexcept;
  /// By position, less than `size()`: file by file, in the order of their data.
  const tensor_view& operator[](std::size_t index) const;
  /// By name; nothing if there is none.
  std::optional<tensor_view> find(std::string_view name) const;
  /// By name.
  /// @throws error  errc::invalid_argument: no such tensor; the text names the model
  tensor_view tensor(std::string_view name) const;
  /// The name that the values of a tensor are kept under: another than `name` where it shared
  /// memory with that one when it was saved (see `save_state_dict`), else `name` itself.
  std::string_view kept_name(std::string_view name) const;

  /// Elements by dtype, of all tensors: `{"BF16": 8030261248}`.
  std::map<std::string, std::uint64_t> parameter_count() const;

 private:
  struct content;
  std::shared_ptr<const content> content_;
};

}  // namespace cohub
