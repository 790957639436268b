#pragma once

#include "cohub/named.hpp"
#include "cohub/tensor_dtype.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// Reading and writing safetensors files (format: mixin-and-cards, section 5).
///
/// @par Threads  These functions block on the disk: in a coroutine program, run them on a pool.
/// Plain hooks of `model_hub_mixin` already do.

namespace cohub {

namespace io {
class file;
}

static_assert(std::endian::native == std::endian::little, "tensors are stored little-endian");

/// What a header says of one tensor.
struct tensor_info {
  std::string name{};
  tensor_dtype dtype = tensor_dtype::f32;
  std::vector<std::uint64_t> shape{};  ///< empty: a scalar; a zero in it: no elements
  std::uint64_t begin = 0;             ///< first byte, counted from the start of the data
  std::uint64_t end = 0;               ///< one past the last byte

  /// Product of the shape; 1 for a scalar.
  std::uint64_t element_count() const noexcept;
};

/// The header of a safetensors file, checked in full.
struct safetensors_header {
  std::map<std::string, std::string> metadata{};  ///< of `__metadata__`; empty if absent
  std::vector<tensor_info> tensors{};             ///< in the order of their data
  std::uint64_t data_offset = 0;                  ///< where the data starts in the file
  std::uint64_t file_size = 0;                    ///< what a whole file measures
};

struct safetensors_options {
  /// Largest length of the header's text, in bytes. For headers from the network 25,000,000 is
  /// usual.
  std::uint64_t max_header_bytes = 100'000'000;
};

/// The number of bytes from the start of the file that `parse_safetensors_header` needs, as its
/// first eight bytes tell.
/// @param origin  name of the file, for errors
/// @throws error  errc::invalid_safetensors: HeaderTooSmall, HeaderTooLarge
std::uint64_t safetensors_header_size(std::span<const std::byte> start_of_file,
                                      std::string_view origin = "header",
                                      named<safetensors_options> options = {});

/// Reads and checks a header. `start_of_file` may hold more than the header; with `file_size`, the
/// data must end exactly there.
/// @param origin  name of the file, for errors
/// @throws error  errc::invalid_safetensors, whose text holds the format's word for the reason
///                (HeaderTooSmall, HeaderTooLarge, InvalidHeaderLength, InvalidHeader,
///                InvalidHeaderDeserialization, InvalidOffset, ValidationOverflow, MisalignedSlice,
///                TensorInvalidInfo, MetadataIncompleteBuffer) and the place
safetensors_header parse_safetensors_header(std::span<const std::byte> start_of_file,
                                            std::optional<std::uint64_t> file_size = {},
                                            std::string_view origin = "header",
                                            named<safetensors_options> options = {});

/// One tensor in a mapped file. Valid as long as any copy of its `safetensors_file` lives.
class tensor_view {
 public:
  tensor_view(const tensor_info& info, std::span<const std::byte> bytes)
      : info_(&info), bytes_(bytes) {}
  tensor_view(tensor_info&& info, std::span<const std::byte> bytes) = delete;

  const std::string& name() const noexcept { return info_->name; }
  tensor_dtype dtype() const noexcept { return info_->dtype; }
  /// Row-major.
  std::span<const std::uint64_t> shape() const noexcept { return info_->shape; }
  std::uint64_t element_count() const noexcept { return info_->element_count(); }
  /// Where the file is mapped.
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// Copies all bytes into memory of the caller's, read from the file: that maps no page of it,
  /// which costs more than the copy, and keeps the values in memory once.
  /// @param room  as many bytes as the tensor has
  /// @throws error  errc::invalid_argument: `room` is of another size;
  ///                errc::invalid_safetensors: the file became shorter; the system's code
  void copy_to(std::span<std::byte> room) const;

  /// The elements where they lie, without a copy; `holds<T>()` says which types fit.
  /// @throws error  errc::invalid_argument: `T` does not fit the dtype, or the file places the data
  ///                at an address that is not aligned for it (`to_vector` reads those too)
  template <class T>
  std::span<const T> as() const {
    check_element(holds<T>(dtype()), alignof(T));
    return {reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }

  /// A copy of the elements.
  /// @throws error  errc::invalid_argument: `T` does not fit the dtype; and those of `copy_to`
  template <class T>
  std::vector<T> to_vector() const {
    check_element(holds<T>(dtype()), 1);
    std::vector<T> values(bytes_.size() / sizeof(T));
    copy_to(std::as_writable_bytes(std::span(values)));
    return values;
  }

 private:
  friend class safetensors_file;
  tensor_view(const tensor_info& info, std::span<const std::byte> bytes, const io::file& file,
              std::uint64_t offset)
      : info_(&info), bytes_(bytes), file_(&file), offset_(offset) {}

  void check_element(bool fits, std::size_t alignment) const;

  const tensor_info* info_;
  std::span<const std::byte> bytes_;
  const io::file* file_ = nullptr;  // null: the bytes lie in memory
  std::uint64_t offset_ = 0;        // of the bytes in the file
};

/// A safetensors file mapped into memory, read-only. Cheap to copy; copies share the mapping.
///
/// Nothing is read but the header until a tensor is looked at. The file may be replaced by a rename
/// or removed while it is mapped; shortening it in place is undefined, as for every mapping.
class safetensors_file {
 public:
  /// Opens and checks `path`; one descriptor stays open.
  /// @throws error  errc::invalid_safetensors (see `parse_safetensors_header`); the system's code
  explicit safetensors_file(const std::filesystem::path& path,
                            named<safetensors_options> options = {});

  const safetensors_header& header() const noexcept;
  const std::map<std::string, std::string>& metadata() const noexcept { return header().metadata; }
  /// Number of tensors.
  std::size_t size() const noexcept { return header().tensors.size(); }
  /// By position in the file, less than `size()`.
  tensor_view operator[](std::size_t index) const;
  /// By name; nothing if there is none.
  std::optional<tensor_view> find(std::string_view name) const;
  /// By name.
  /// @throws error  errc::invalid_argument: no such tensor; the text names the file
  tensor_view tensor(std::string_view name) const;

 private:
  struct mapping;
  std::shared_ptr<const mapping> mapping_;
};

/// The memory that the values of a tensor lie in, where other tensors may lie in the same.
struct tensor_storage {
  const void* address = nullptr;  ///< of the whole storage
  std::uint64_t size = 0;         ///< bytes of the whole
  std::uint64_t begin = 0;        ///< first byte of the tensor in it
  std::uint64_t end = 0;          ///< one past its last byte
};

/// Takes the next bytes of a tensor.
using tensor_sink = std::function<void(std::span<const std::byte>)>;

/// A tensor to write. Its content is bytes that outlive the call, or a function that is called
/// once, when the turn of the tensor comes, and hands all bytes to the sink in as many pieces as it
/// likes.
struct tensor_source {
  std::string name{};
  tensor_dtype dtype = tensor_dtype::f32;
  std::vector<std::uint64_t> shape{};
  std::variant<std::span<const std::byte>, std::function<void(const tensor_sink&)>> content{};
  /// For `save_state_dict`, which writes shared memory once. Unset: the bytes of the content.
  std::optional<tensor_storage> storage{};
};

/// Whether values of that type outlive the expression they are given in: a named container, or a
/// view of one.
template <class Range>
concept lasting_values = std::is_lvalue_reference_v<Range> ||
    std::ranges::enable_borrowed_range<std::remove_cvref_t<Range>>;

/// A source over values that outlive it: `tensor_of("bias", {3}, model.bias)`. They are not copied,
/// so a temporary container is refused.
template <class Range>
requires lasting_values<Range> tensor_source tensor_of(std::string name,
                                                       std::vector<std::uint64_t> shape,
                                                       Range&& values) {
  const std::span view(values);
  using element = std::remove_cv_t<typename decltype(view)::element_type>;
  static_assert(dtype_of<element>.has_value(), "no tensor element is of this C++ type");
  tensor_source source;
  source.name = std::move(name);
  source.dtype = *dtype_of<element>;
  source.shape = std::move(shape);
  source.content = std::as_bytes(view);
  return source;
}
template <class Range>
requires(!lasting_values<Range>) tensor_source
    tensor_of(std::string name, std::vector<std::uint64_t> shape, Range&& values)
= delete;  // name the values: the source only refers to them

struct save_safetensors_options {
  std::map<std::string, std::string> metadata{};  ///< empty: the header has none
  std::uint64_t max_header_bytes = 100'000'000;
};

/// Writes a file: tensors sorted by descending alignment, then name; the header padded so that data
/// is aligned to eight bytes. Memory: the header and one piece.
///
/// The file is written beside `path` and renamed when it is complete: a mapping of an older file at
/// `path` stays valid, and its tensors may be sources.
/// @throws error  errc::invalid_argument: a name twice, a name or metadata that is not UTF-8, the
///                name `__metadata__`, content of another size than dtype and shape say, a header
///                above `max_header_bytes`; or the system's code
void save_safetensors(const std::filesystem::path& path, std::vector<tensor_source> tensors,
                      named<save_safetensors_options> options = {});

}  // namespace cohub
