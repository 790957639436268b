#include "server/weights_summary.hpp"

#include "hub/json_reader.hpp"
#include "io/file.hpp"
#include "server/git_repository.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <span>

namespace cohub::server {

namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t header_limit = 32u << 20;

/// The length that a file begins with; nothing if no header is that long.
std::optional<std::size_t> header_length(std::string_view bytes) {
  if (bytes.size() < length_bytes) return std::nullopt;
  std::uint64_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  if (length > header_limit) return std::nullopt;
  return static_cast<std::size_t>(length);
}

std::optional<std::string> header_in(std::string_view content) {
  const auto length = header_length(content);
  if (!length || content.size() - length_bytes < *length) return std::nullopt;
  return std::string(content.substr(length_bytes, *length));
}

std::optional<std::string> header_in_file(const std::filesystem::path& path) {
  const io::file file(path, io::file::mode::read);
  std::string bytes(length_bytes, '\0');
  if (file.read_at(0, std::as_writable_bytes(std::span(bytes))) != length_bytes)
    return std::nullopt;
  const auto length = header_length(bytes);
  if (!length) return std::nullopt;
  bytes.resize(*length);
  if (file.read_at(length_bytes, std::as_writable_bytes(std::span(bytes))) != *length)
    return std::nullopt;
  return bytes;
}

/// Adds up the tensors that a header tells of.
void add(const std::string& header, weights_summary& summary) {
  const auto parsed = hub::parse_json(header);
  if (!parsed || !parsed->is_object()) return;
  for (const auto& [name, value] : parsed->get_object()) {
    const auto* tensor = value.if_object();
    const auto* shape = tensor != nullptr ? tensor->if_contains("shape") : nullptr;
    if (shape == nullptr || !shape->is_array()) continue;
    std::uint64_t count = 1;
    for (const auto& size : shape->get_array()) {
      boost::system::error_code failed;
      count *= size.to_number<std::uint64_t>(failed);
      if (failed) return;
    }
    summary.parameters[hub::text_or(*tensor, "dtype")] += count;
    summary.total += count;
  }
}

/// "6B" as a number; `otherwise` where there is none.
double bound(std::string_view range, std::string_view key, double otherwise) {
  const auto at = range.find(key);
  if (at == range.npos) return otherwise;
  const std::string text(range.substr(at + key.size()));
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str()) return otherwise;
  switch (*end) {
    case 'K':
    case 'k':
      return number * 1e3;
    case 'M':
    case 'm':
      return number * 1e6;
    case 'B':
    case 'b':
      return number * 1e9;
    case 'T':
    case 't':
      return number * 1e12;
    default:
      return number;
  }
}

}  // namespace

std::optional<weights_summary> summarize_weights(const hub_store& store, const repo_record& record,
                                                 const git_repository& repository,
                                                 const std::string& commit) {
  weights_summary summary;
  repository.list(commit, {}, false, {}, [&](const tree_entry& entry) {
    if (entry.type != tree_entry::kind::file || !entry.path.ends_with(".safetensors")) return true;
    std::optional<std::string> header;
    if (!entry.lfs)
      header = header_in(repository.read_blob(entry.oid).bytes);
    else if (store.object_size(record.type, record.id, entry.lfs->sha256))
      header = header_in_file(store.objects.path_of(entry.lfs->sha256));
    if (header) add(*header, summary);
    return true;
  });
  if (summary.parameters.empty()) return std::nullopt;
  return summary;
}

bool is_in_range(std::uint64_t number, std::string_view range) {
  const auto value = static_cast<double>(number);
  return value >= bound(range, "min:", 0) &&
         value <= bound(range, "max:", std::numeric_limits<double>::infinity());
}

}  // namespace cohub::server
