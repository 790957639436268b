#pragma once

#include "cohub/client.hpp"
#include "cohub/named.hpp"
#include "cohub/safetensors.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// What safetensors files on the Hub hold, and single tensors of them, without downloading the
/// files (mixin-and-cards, section 5.6). Only headers, indexes and the tensors asked for are
/// fetched; files that are in the cache are read from there.

namespace cohub {

namespace detail {
struct remote_safetensors_state;
}

struct remote_safetensors_options {
  repo_type type = repo_type::model;
  std::string revision = "main";                ///< branch, tag, `refs/pr/N` or commit
  std::filesystem::path cache_dir{};            ///< looked into first; empty: the client's
  bool local_files_only = false;                ///< use what is cached; no request
  std::optional<std::string> token{};           ///< unset: the client's; "" sends none
  std::uint64_t max_header_bytes = 25'000'000;  ///< of one file's header
  std::uint64_t max_index_bytes = 100'000'000;  ///< of `model.safetensors.index.json`
  std::size_t max_workers = 8;                  ///< files whose headers are fetched at a time
  std::shared_ptr<cohub::observer> observer{};  ///< of retries; null: the client's
};

/// What a header says of one tensor.
struct safetensors_tensor_metadata {
  std::string dtype{};  ///< as spelled in the file: the set is open ("F32", "BF16", ...)
  std::vector<std::uint64_t> shape{};
  std::uint64_t begin = 0;            ///< first byte, counted from the start of the data
  std::uint64_t end = 0;              ///< one past the last byte
  std::uint64_t parameter_count = 1;  ///< product of the shape; 1 for a scalar
};

/// Mirrors SafetensorsFileMetadata.
struct safetensors_file_metadata {
  std::map<std::string, std::string> metadata{};  ///< of `__metadata__`; empty if absent
  std::map<std::string, safetensors_tensor_metadata, std::less<>> tensors{};  ///< by name
  std::map<std::string, std::uint64_t> parameter_count{};                     ///< by dtype
  std::uint64_t data_offset = 0;  ///< where the data starts in the file
};

/// Mirrors SafetensorsRepoMetadata.
struct safetensors_repo_metadata {
  std::string commit{};                           ///< that the revision named
  std::optional<boost::json::object> metadata{};  ///< of the index, if it has one
  bool sharded = false;
  std::map<std::string, std::string, std::less<>> weight_map{};  ///< name of a tensor -> file
  std::map<std::string, safetensors_file_metadata, std::less<>> files_metadata{};  ///< by file
  std::map<std::string, std::uint64_t> parameter_count{};  ///< by dtype, of all files
};

/// The header of one file: one request of its first 100,001 bytes, and a second one if the header
/// is longer. Memory: the header.
///
/// Checked as `parse_safetensors_header` does, but that tensors of unknown dtypes are accepted.
/// @param path  of the file within the repository
/// @throws error  errc::invalid_safetensors; what `client::open_file` and `remote_file::read_at`
///                throw
/// @par Mirrors  parse_safetensors_file_metadata()
awaitable<safetensors_file_metadata> parse_safetensors_file_metadata(
    client hub, std::string repo_id, std::string path,
    named<remote_safetensors_options> options = {});

/// The headers of a whole model: of `model.safetensors`, or of all the files that
/// `model.safetensors.index.json` names, all at one commit.
/// @throws error  errc::not_safetensors_repo: it has neither; errc::repository_not_found and
///                errc::revision_not_found, which Python takes for that, too;
///                errc::invalid_safetensors: a file or the index breaks the format
/// @par Mirrors  get_safetensors_metadata()
awaitable<safetensors_repo_metadata> get_safetensors_metadata(
    client hub, std::string repo_id, named<remote_safetensors_options> options = {});

/// The header of a file on this machine. Blocks.
/// @throws error  as `parse_safetensors_file_metadata`, or the system's code
/// @par Mirrors  parse_local_safetensors_file_metadata()
safetensors_file_metadata parse_local_safetensors_file_metadata(const std::filesystem::path& path);

/// The headers of a file, or of a folder with `model.safetensors` or else with an index and its
/// shards. Blocks. `commit` is empty.
/// @throws error  errc::not_safetensors_repo: a folder with neither; errc::entry_not_found: a shard
///                is missing; errc::invalid_safetensors; the system's code: there is no such path
/// @par Mirrors  get_local_safetensors_metadata()
safetensors_repo_metadata get_local_safetensors_metadata(const std::filesystem::path& path);

/// A tensor in memory. Cheap to copy; tensors that were fetched together share their memory, at
/// most 32 MiB of it or one tensor's.
class loaded_tensor {
 public:
  loaded_tensor() = default;
  /// @param bytes  lie in `memory`
  loaded_tensor(tensor_info info, std::shared_ptr<const std::byte[]> memory,
                std::span<const std::byte> bytes)
      : info_(std::move(info)), memory_(std::move(memory)), bytes_(bytes) {}

  const std::string& name() const noexcept { return info_.name; }
  tensor_dtype dtype() const noexcept { return info_.dtype; }
  /// Row-major.
  std::span<const std::uint64_t> shape() const noexcept { return info_.shape; }
  std::uint64_t element_count() const noexcept { return info_.element_count(); }
  /// Valid as long as this object or a copy of it lives, so that none is had of a temporary.
  std::span<const std::byte> bytes() const& noexcept { return bytes_; }
  std::span<const std::byte> bytes() const&& = delete;

  /// See `tensor_view::as` and `tensor_view::to_vector`. A file that aligns its tensors has them
  /// aligned in memory, too. Valid as `bytes` are.
  template <class T>
  std::span<const T> as() const& {
    return tensor_view(info_, bytes_).as<T>();
  }
  template <class T>
  std::span<const T> as() const&& = delete;
  template <class T>
  std::vector<T> to_vector() const {
    return tensor_view(info_, bytes_).to_vector<T>();
  }

 private:
  tensor_info info_{};
  std::shared_ptr<const std::byte[]> memory_{};
  std::span<const std::byte> bytes_{};
};

/// A model on the Hub, of one file or many shards, at one commit: tensors are fetched one by one or
/// in groups. Headers are fetched when they are first needed, and kept. Cheap to copy; copies share
/// what was fetched.
/// @par Threads  those of the client
class remote_safetensors {
 public:
  /// No model: may only be assigned to.
  remote_safetensors() noexcept = default;
  explicit remote_safetensors(std::shared_ptr<detail::remote_safetensors_state> state) noexcept;

  const std::string& commit() const noexcept;
  bool sharded() const noexcept;
  /// Of the index; nothing for a single file.
  const std::optional<boost::json::object>& metadata() const noexcept;
  /// Name of a tensor -> file.
  const std::map<std::string, std::string, std::less<>>& weight_map() const noexcept;

  /// The headers of all files, as `get_safetensors_metadata`.
  awaitable<safetensors_repo_metadata> get_metadata() const;

  /// One tensor by its name. Memory: the tensor.
  /// @throws error  errc::invalid_argument: there is no such tensor; errc::invalid_safetensors: its
  ///                dtype is unknown, or its file breaks the format or lacks it; what
  ///                `remote_file::read_at` throws
  awaitable<loaded_tensor> load_tensor(std::string name) const;

  /// The same into the caller's memory, which outlives the operation.
  /// @throws error  also errc::invalid_argument: `into` is not as long as the tensor
  awaitable<void> load_tensor_into(std::string name, std::span<std::byte> into) const;

  /// Several tensors, one entry a name in the same order, of whichever shards. Those that lie side
  /// by side in a file, or less than 64 KiB apart, come in one request.
  awaitable<std::vector<loaded_tensor>> load_tensors(std::vector<std::string> names) const;

 private:
  std::shared_ptr<detail::remote_safetensors_state> state_{};
};

/// Opens a model for loading tensors: its header, or the index of its shards.
/// @throws error  as `get_safetensors_metadata`
awaitable<remote_safetensors> open_safetensors(client hub, std::string repo_id,
                                               named<remote_safetensors_options> options = {});

}  // namespace cohub
