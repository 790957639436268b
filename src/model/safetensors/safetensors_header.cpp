#include "model/safetensors/safetensors_header.hpp"

#include "cohub/error.hpp"
#include "cohub/safetensors.hpp"

#include "hub/utf8.hpp"
#include "model/safetensors/name_index.hpp"
#include "model/safetensors/safetensors_entries.hpp"
#include "model/safetensors/tensor_bits.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

namespace cohub {

namespace {

/// A failure of a header: the format's word, then the place.
[[noreturn]] void fail(std::string_view origin, const std::string& word, const std::string& place) {
  throw error(errc::invalid_safetensors,
              "reading " + std::string(origin) + ": " + word + " (" + place + ")");
}

std::string tensor_called(std::string_view name) {
  constexpr std::size_t longest = 200;  // a hostile name must not make a hostile message
  std::string text = "tensor \"";
  text += name.size() > longest ? std::string(name.substr(0, longest)) + "..." : std::string(name);
  return text + '"';
}

std::uint64_t read_length(std::span<const std::byte> start) {
  std::uint64_t length = 0;
  std::memcpy(&length, start.data(), sizeof length);
  return length;
}

std::uint64_t checked_header_size(std::span<const std::byte> start, std::string_view origin,
                                  const safetensors_options& options) {
  if (start.size() < 8)
    fail(origin, "HeaderTooSmall", std::to_string(start.size()) + " bytes, at least 8 are needed");
  const std::uint64_t length = read_length(start);
  if (length > options.max_header_bytes || length > std::numeric_limits<std::int64_t>::max())
    fail(origin, "HeaderTooLarge",
         "offset 0: " + std::to_string(length) + " bytes, at most " +
             std::to_string(options.max_header_bytes) + " are read");
  return length + 8;
}

/// The number of bytes that dtype and shape ask for; of an unknown dtype, only that they can be
/// counted.
std::uint64_t byte_count(const tensor_info& tensor, bool known, std::string_view origin) {
  const auto bits = model::tensor_bits(tensor.shape, known ? bits_of(tensor.dtype) : 1);
  if (!bits) fail(origin, "ValidationOverflow", tensor_called(tensor.name));
  if (!known) return tensor.end - tensor.begin;
  if (*bits % 8 != 0) fail(origin, "MisalignedSlice", tensor_called(tensor.name));
  return *bits / 8;
}

void check_layout(const safetensors_header& header, const model::unknown_dtypes& unknown,
                  std::string_view origin) {
  std::uint64_t position = 0;
  for (const auto& tensor : header.tensors) {
    if (tensor.begin != position || tensor.end < tensor.begin)
      fail(origin, "InvalidOffset",
           tensor_called(tensor.name) + " at " + std::to_string(tensor.begin) + " to " +
               std::to_string(tensor.end) + ", expected to begin at " + std::to_string(position));
    const bool known = unknown.empty() || !unknown.contains(tensor.name);
    if (const auto bytes = byte_count(tensor, known, origin); tensor.end - tensor.begin != bytes)
      fail(origin, "TensorInvalidInfo",
           tensor_called(tensor.name) + " has " + std::to_string(tensor.end - tensor.begin) +
               " bytes, its shape asks for " + std::to_string(bytes));
    position = tensor.end;
  }
}

void check_unique_names(const safetensors_header& header, std::string_view origin) {
  const auto twice = model::name_index(header.tensors).find_duplicate(header.tensors);
  if (twice)
    fail(origin, "InvalidHeaderDeserialization",
         tensor_called(header.tensors[*twice].name) + " occurs twice");
}

/// @param unknown  null: tensors of unknown dtypes are refused
safetensors_header parse(std::span<const std::byte> start_of_file,
                         std::optional<std::uint64_t> file_size, std::string_view origin,
                         const safetensors_options& options, model::unknown_dtypes* unknown) {
  safetensors_header header;
  header.data_offset = checked_header_size(start_of_file, origin, options);
  if (header.data_offset > start_of_file.size())
    fail(origin, "InvalidHeaderLength",
         "the header ends at " + std::to_string(header.data_offset) + ", there are " +
             std::to_string(start_of_file.size()) + " bytes");

  const auto bytes = start_of_file.subspan(8, header.data_offset - 8);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const auto offset = hub::find_invalid_utf8(text))
    fail(origin, "InvalidHeader", "offset " + std::to_string(8 + *offset) + ": not UTF-8");

  model::safetensors_entries entries;
  const auto failure = model::read_safetensors_entries(text, entries);
  if (!failure.reason.empty())
    fail(origin, "InvalidHeaderDeserialization",
         "offset " + std::to_string(8 + failure.offset) + ": " + failure.reason);

  header.metadata = std::move(entries.metadata);
  header.tensors.reserve(entries.tensors.size());
  for (auto& entry : entries.tensors) {
    const auto dtype = parse_tensor_dtype(entry.dtype);
    if (!dtype && unknown == nullptr)
      fail(origin, "InvalidHeaderDeserialization",
           tensor_called(entry.name) + ": unknown dtype " + entry.dtype.substr(0, 40));
    if (!dtype) unknown->emplace(entry.name, std::move(entry.dtype));
    auto& tensor = header.tensors.emplace_back();
    tensor.name = std::move(entry.name);
    tensor.dtype = dtype.value_or(tensor_dtype::u8);
    tensor.shape = std::move(entry.shape);
    tensor.begin = entry.begin;
    tensor.end = entry.end;
  }
  const auto by_offset = [](const tensor_info& a, const tensor_info& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  };
  if (!std::is_sorted(header.tensors.begin(), header.tensors.end(), by_offset))
    std::stable_sort(header.tensors.begin(), header.tensors.end(), by_offset);
  check_unique_names(header, origin);
  check_layout(header, unknown ? *unknown : model::unknown_dtypes(), origin);

  const std::uint64_t data_size = header.tensors.empty() ? 0 : header.tensors.back().end;
  if (__builtin_add_overflow(header.data_offset, data_size, &header.file_size) ||
      (file_size && header.file_size != *file_size))
    fail(origin, "MetadataIncompleteBuffer",
         "the tensors end at " + std::to_string(header.data_offset) + " + " +
             std::to_string(data_size) +
             (file_size ? ", the file at " + std::to_string(*file_size) : std::string()));
  return header;
}

}  // namespace

std::uint64_t tensor_info::element_count() const noexcept {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

std::uint64_t safetensors_header_size(std::span<const std::byte> start_of_file,
                                      std::string_view origin, named<safetensors_options> options) {
  return checked_header_size(start_of_file, origin, *options);
}

safetensors_header parse_safetensors_header(std::span<const std::byte> start_of_file,
                                            std::optional<std::uint64_t> file_size,
                                            std::string_view origin,
                                            named<safetensors_options> options) {
  return parse(start_of_file, file_size, origin, *options, nullptr);
}

safetensors_header model::parse_open_header(std::span<const std::byte> start_of_file,
                                            std::optional<std::uint64_t> file_size,
                                            std::string_view origin,
                                            const safetensors_options& options,
                                            unknown_dtypes& unknown) {
  return parse(start_of_file, file_size, origin, options, &unknown);
}

}  // namespace cohub
