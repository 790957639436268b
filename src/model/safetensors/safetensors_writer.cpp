#include "model/safetensors/safetensors_writer.hpp"

#include "cohub/error.hpp"
#include "cohub/safetensors.hpp"

#include "hub/utf8.hpp"
#include "io/file.hpp"
#include "model/safetensors/tensor_bits.hpp"

#include <unistd.h>

#include <algorithm>

namespace cohub {

namespace {

[[noreturn]] void fail(const std::string& reason) {
  throw error(errc::invalid_argument, "writing a safetensors file: " + reason);
}

void append_json_text(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (hub::find_invalid_utf8(text)) fail("a name or a metadata text is not UTF-8");
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

std::uint64_t byte_count(const tensor_source& tensor) {
  const auto bits = model::tensor_bits(tensor.shape, bits_of(tensor.dtype));
  if (!bits) fail("the shape of \"" + tensor.name + "\" overflows");
  if (*bits % 8 != 0) fail("the elements of \"" + tensor.name + "\" do not fill whole bytes");
  return *bits / 8;
}

void sort_for_file(std::vector<tensor_source>& tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const tensor_source& a, const tensor_source& b) {
    if (a.dtype != b.dtype) return a.dtype > b.dtype;
    return a.name < b.name;
  });
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const auto& tensor : tensors) {
    if (tensor.name == "__metadata__") fail("no tensor can be named __metadata__");
    names.push_back(tensor.name);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) fail("the name \"" + std::string(*twice) + "\" occurs twice");
}

/// The length field and the padded text.
std::string make_header(const std::vector<tensor_source>& tensors,
                        const save_safetensors_options& options) {
  std::string out(8, '\0');
  out += '{';
  const auto separate = [&out] {
    if (out.back() != '{') out += ',';
  };
  if (!options.metadata.empty()) {
    out += "\"__metadata__\":{";
    for (const auto& [key, value] : options.metadata) {
      separate();
      append_json_text(out, key);
      out += ':';
      append_json_text(out, value);
    }
    out += '}';
  }
  std::uint64_t position = 0;
  for (const auto& tensor : tensors) {
    separate();
    append_json_text(out, tensor.name);
    out += ":{\"dtype\":\"";
    out += to_string(tensor.dtype);
    out += "\",\"shape\":[";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      if (i > 0) out += ',';
      out += std::to_string(tensor.shape[i]);
    }
    const std::uint64_t begin = position;
    if (__builtin_add_overflow(position, byte_count(tensor), &position))
      fail("the sizes of the tensors overflow");
    out += "],\"data_offsets\":[" + std::to_string(begin) + ',' + std::to_string(position) + "]}";
  }
  out += '}';
  out.append((8 - out.size() % 8) % 8, ' ');
  const std::uint64_t length = out.size() - 8;
  if (length > options.max_header_bytes)
    fail("the header has " + std::to_string(length) + " bytes, at most " +
         std::to_string(options.max_header_bytes) + " are allowed");
  std::memcpy(out.data(), &length, sizeof length);
  return out;
}

constexpr std::size_t gathered_bytes = 256 * 1024;
constexpr std::size_t step_bytes = 4u << 20;

[[noreturn]] void fail_size(const tensor_source& tensor, const std::string& given,
                            std::uint64_t expected) {
  fail("\"" + tensor.name + "\" gives " + given + std::to_string(expected) +
       " of its dtype and shape");
}

}  // namespace

model::safetensors_steps::safetensors_steps(std::vector<tensor_source> tensors,
                                            const save_safetensors_options& options)
    : tensors_(std::move(tensors)) {
  sort_for_file(tensors_);
  header_ = make_header(tensors_, options);
  gathered_.reserve(gathered_bytes);
}

void model::safetensors_steps::gather(std::span<const std::byte> bytes, const output& out) {
  if (gathered_.size() + bytes.size() > gathered_bytes) flush(out);
  if (bytes.size() >= gathered_bytes) {
    out(bytes);
  } else {
    gathered_.insert(gathered_.end(), bytes.begin(), bytes.end());
  }
  handed_over_ += bytes.size();
}

void model::safetensors_steps::flush(const output& out) {
  if (!gathered_.empty()) out(gathered_);
  gathered_.clear();
}

void model::safetensors_steps::produce(const tensor_source& tensor, const output& out) {
  const std::uint64_t expected = byte_count(tensor);
  std::uint64_t written = 0;
  const tensor_sink sink = [&](std::span<const std::byte> piece) {
    if (piece.size() > expected - written) fail_size(tensor, "more bytes than the ", expected);
    gather(piece, out);
    written += piece.size();
  };
  if (const auto& function = std::get<1>(tensor.content)) function(sink);
  if (written != expected)
    fail_size(tensor, std::to_string(written) + " bytes, not the ", expected);
  ++tensor_;
}

void model::safetensors_steps::copy(std::span<const std::byte> content, const output& out) {
  const auto& tensor = tensors_[tensor_];
  const std::uint64_t expected = byte_count(tensor);
  if (content.size() > expected) fail_size(tensor, "more bytes than the ", expected);
  if (content.size() < expected)
    fail_size(tensor, std::to_string(content.size()) + " bytes, not the ", expected);
  const auto part = content.subspan(begun_, std::min(content.size() - begun_, step_bytes));
  gather(part, out);
  begun_ += part.size();
  if (begun_ < content.size()) return;
  begun_ = 0;
  ++tensor_;
}

bool model::safetensors_steps::next(const output& out) {
  if (header_.empty() && tensor_ == tensors_.size()) return false;
  handed_over_ = 0;
  if (!header_.empty()) {
    gather(std::as_bytes(std::span(header_)), out);
    header_.clear();
  }
  bool has_produced = false;
  while (tensor_ < tensors_.size() && handed_over_ < step_bytes && !has_produced) {
    const auto& tensor = tensors_[tensor_];
    if (const auto* content = std::get_if<std::span<const std::byte>>(&tensor.content)) {
      copy(*content, out);
    } else {
      produce(tensor, out);
      has_produced = true;
    }
  }
  flush(out);
  return true;
}

void model::write_safetensors(std::vector<tensor_source> tensors,
                              const save_safetensors_options& options,
                              const std::function<void(std::span<const std::byte>)>& out) {
  safetensors_steps steps(std::move(tensors), options);
  while (steps.next(out)) {
  }
}

void save_safetensors(const std::filesystem::path& path, std::vector<tensor_source> tensors,
                      named<save_safetensors_options> options) {
  const auto temporary = path.parent_path() / io::temporary_name();
  io::file file(temporary, io::file::mode::write_new);
  try {
    std::uint64_t position = 0;
    const auto append = [&](std::span<const std::byte> bytes) {
      file.write_at(position, bytes);
      position += bytes.size();
    };
    model::write_safetensors(std::move(tensors), *options, append);
    file.close();
    io::rename_file(temporary, path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace cohub
