#include "model/safetensors/describe_safetensors.hpp"

#include "cohub/error.hpp"

#include "core/throw_system.hpp"
#include "io/file.hpp"
#include "model/safetensors/safetensors_index.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace cohub {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_index = 100'000'000;  // bytes
const std::string single_file = "model.safetensors";
const std::string index_file = "model.safetensors.index.json";

bool is_there(const fs::path& path) {
  std::error_code failure;
  const auto status = fs::status(path, failure);
  if (!failure || failure == std::errc::no_such_file_or_directory) return fs::exists(status);
  core::throw_system(failure.value(), "looking for", path);
}

/// Nothing bounds the numbers of types of unknown width.
void add_count(std::uint64_t& sum, std::uint64_t count, const std::string& dtype) {
  if (__builtin_add_overflow(sum, count, &sum))
    throw error(errc::invalid_safetensors,
                "counting parameters: ValidationOverflow (of type " + dtype.substr(0, 40) + ")");
}

safetensors_repo_metadata metadata_of_file(const fs::path& path) {
  safetensors_repo_metadata repo;
  const auto name = path.filename().string();
  auto file = parse_local_safetensors_file_metadata(path);
  for (const auto& [tensor, info] : file.tensors) repo.weight_map.emplace(tensor, name);
  repo.parameter_count = file.parameter_count;
  repo.files_metadata.emplace(name, std::move(file));
  return repo;
}

}  // namespace

safetensors_file_metadata model::describe_safetensors(const safetensors_header& header,
                                                      const unknown_dtypes& unknown) {
  safetensors_file_metadata file;
  file.metadata = header.metadata;
  file.data_offset = header.data_offset;
  for (const auto& info : header.tensors) {
    safetensors_tensor_metadata tensor;
    const auto open = unknown.find(info.name);
    tensor.dtype = open == unknown.end() ? std::string(to_string(info.dtype)) : open->second;
    tensor.shape = info.shape;
    tensor.begin = info.begin;
    tensor.end = info.end;
    tensor.parameter_count = info.element_count();
    add_count(file.parameter_count[tensor.dtype], tensor.parameter_count, tensor.dtype);
    file.tensors.emplace(info.name, std::move(tensor));
  }
  return file;
}

std::map<std::string, std::uint64_t> model::sum_parameter_counts(
    const std::map<std::string, safetensors_file_metadata, std::less<>>& files) {
  std::map<std::string, std::uint64_t> sum;
  for (const auto& [name, file] : files)
    for (const auto& [dtype, count] : file.parameter_count) add_count(sum[dtype], count, dtype);
  return sum;
}

safetensors_file_metadata parse_local_safetensors_file_metadata(const fs::path& path) {
  const io::file file(path, io::file::mode::read);
  const auto size = file.size();
  std::vector<std::byte> start(static_cast<std::size_t>(std::min<std::uint64_t>(8, size)));
  file.read_at(0, start);
  // A header that claims to go beyond the end of the file is refused when it is parsed.
  const safetensors_options limits;
  if (start.size() == 8) {
    const auto wanted = std::min(safetensors_header_size(start, path.string(), limits), size);
    start.resize(static_cast<std::size_t>(wanted));
    start.resize(file.read_at(0, start));
  }
  model::unknown_dtypes unknown;
  const auto header = model::parse_open_header(start, size, path.string(), limits, unknown);
  return model::describe_safetensors(header, unknown);
}

safetensors_repo_metadata get_local_safetensors_metadata(const fs::path& path) {
  if (!is_there(path)) core::throw_system(ENOENT, "looking for", path);
  if (!fs::is_directory(path)) return metadata_of_file(path);
  if (is_there(path / single_file)) return metadata_of_file(path / single_file);
  if (!is_there(path / index_file))
    throw error(errc::not_safetensors_repo,
                "looking for " + single_file + " and " + index_file + " in " + path.string());
  const auto origin = (path / index_file).string();
  auto index =
      model::parse_safetensors_index(io::read_file(path / index_file, largest_index), origin);
  safetensors_repo_metadata repo;
  repo.sharded = true;
  repo.metadata = std::move(index.metadata);
  repo.weight_map = std::move(index.weight_map);
  for (const auto& name : index.files) {
    if (!is_there(path / name))
      throw error(errc::entry_not_found,
                  "opening the shard " + name + " that " + origin + " names: it is missing");
    repo.files_metadata.emplace(name, parse_local_safetensors_file_metadata(path / name));
  }
  repo.parameter_count = model::sum_parameter_counts(repo.files_metadata);
  return repo;
}

}  // namespace cohub
