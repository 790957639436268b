#include "cohub/error.hpp"
#include "cohub/safetensors.hpp"

#include "core/throw_system.hpp"
#include "io/file.hpp"
#include "model/safetensors/name_index.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace cohub {

struct safetensors_file::mapping {
  explicit mapping(const std::filesystem::path& from) : file(from, io::file::mode::read) {
    const std::uint64_t length = file.size();
    if (length == 0) return;  // an empty mapping is refused by the system
    if (length > std::numeric_limits<std::size_t>::max())
      core::throw_system(EFBIG, "mapping", from);
    void* const address = ::mmap(nullptr, static_cast<std::size_t>(length), PROT_READ, MAP_PRIVATE,
                                 file.native_handle(), 0);
    if (address == MAP_FAILED) core::throw_system(errno, "mapping", from);
    bytes = {static_cast<const std::byte*>(address), static_cast<std::size_t>(length)};
  }
  mapping(mapping&&) = delete;
  ~mapping() {
    if (!bytes.empty())
      ::munmap(const_cast<void*>(static_cast<const void*>(bytes.data())), bytes.size());
  }

  io::file file;
  std::span<const std::byte> bytes{};
  safetensors_header header{};
  model::name_index names{};
};

safetensors_file::safetensors_file(const std::filesystem::path& path,
                                   named<safetensors_options> options) {
  auto opened = std::make_shared<mapping>(path);
  const safetensors_options chosen = *options;
  opened->header =
      parse_safetensors_header(opened->bytes, opened->bytes.size(), path.string(), chosen);
  opened->names = model::name_index(opened->header.tensors);
  mapping_ = std::move(opened);
}

const safetensors_header& safetensors_file::header() const noexcept { return mapping_->header; }

tensor_view safetensors_file::operator[](std::size_t index) const {
  const auto& info = mapping_->header.tensors[index];
  const auto offset = mapping_->header.data_offset + info.begin;
  const auto bytes = mapping_->bytes.subspan(offset, info.end - info.begin);
  return {info, bytes, mapping_->file, offset};
}

std::optional<tensor_view> safetensors_file::find(std::string_view name) const {
  const auto position = mapping_->names.find(mapping_->header.tensors, name);
  if (!position) return {};
  return (*this)[*position];
}

tensor_view safetensors_file::tensor(std::string_view name) const {
  if (auto found = find(name)) return *found;
  throw error(errc::invalid_argument, "looking for tensor \"" + std::string(name) + "\", which " +
                                          mapping_->file.path().string() + " does not have");
}

void tensor_view::copy_to(std::span<std::byte> room) const {
  if (room.size() != bytes_.size())
    throw error(errc::invalid_argument, "copying tensor \"" + name() + "\" of " +
                                            std::to_string(bytes_.size()) + " bytes into " +
                                            std::to_string(room.size()));
  if (file_ == nullptr)
    std::ranges::copy(bytes_, room.begin());
  else if (file_->read_at(offset_, room) != room.size())
    throw error(errc::invalid_safetensors, "reading tensor \"" + name() + "\" of " +
                                               file_->path().string() +
                                               ", which became shorter meanwhile");
}

void tensor_view::check_element(bool fits, std::size_t alignment) const {
  if (!fits)
    throw error(errc::invalid_argument, "reading tensor \"" + name() + "\" of dtype " +
                                            std::string(to_string(dtype())) +
                                            " as another type of element");
  if (reinterpret_cast<std::uintptr_t>(bytes_.data()) % alignment != 0)
    throw error(errc::invalid_argument,
                "reading tensor \"" + name() +
                    "\" in place: the file does not align it; copy it with to_vector");
}

}  // namespace cohub
