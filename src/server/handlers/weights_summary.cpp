#include "server/handlers/weights_summary.hpp"

#include "hub/json_reader.hpp"
#include "io/file.hpp"
#include "server/git/git_repository.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <span>
#include <utility>

namespace cohub::server {

namespace {

constexpr std::size_t length_bytes = 8;
/// Of all files of a repository together.
constexpr std::uint64_t headers_limit = 32u << 20;
constexpr std::size_t files_limit = 1000;
/// Types of numbers, which have short names: whoever names more of them tells of no weights.
constexpr std::size_t types_limit = 64;
constexpr std::size_t longest_type = 32;

/// The length that a file begins with; nothing if no header is that long.
std::optional<std::size_t> header_length(std::string_view bytes) {
  if (bytes.size() < length_bytes) return std::nullopt;
  std::uint64_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  if (length > headers_limit) return std::nullopt;
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

/// How many numbers a tensor of that shape holds; nothing if no file could hold them.
std::optional<std::uint64_t> count_of(const boost::json::array& shape) {
  std::uint64_t count = 1;
  for (const auto& each : shape) {
    boost::system::error_code failed;
    const auto size = each.to_number<std::uint64_t>(failed);
    if (failed || (size != 0 && count > std::numeric_limits<std::uint64_t>::max() / size))
      return std::nullopt;
    count *= size;
  }
  return count;
}

/// Adds so many numbers of a type; false if there are more than can be.
bool add(const std::string& type, std::uint64_t count, weights_summary& summary) {
  // The total bounds each of its parts.
  if (count > std::numeric_limits<std::uint64_t>::max() - summary.total) return false;
  summary.total += count;
  summary.parameters[type] += count;
  return summary.parameters.size() <= types_limit && type.size() <= longest_type;
}

/// The tensors that a header tells of, added up; empty if it is none.
weights_summary read_header(const std::string& header) {
  weights_summary summary;
  const auto parsed = hub::parse_json(header);
  if (!parsed || !parsed->is_object()) return summary;
  for (const auto& [name, value] : parsed->get_object()) {
    const auto* tensor = value.if_object();
    const auto* shape = tensor != nullptr ? tensor->if_contains("shape") : nullptr;
    if (shape == nullptr || !shape->is_array()) continue;
    const auto count = count_of(shape->get_array());
    if (!count || !add(hub::text_or(*tensor, "dtype"), *count, summary)) return {};
  }
  return summary;
}

/// Adds up the files of one model.
class weights_reader {
 public:
  weights_reader(hub_store& store, const repo_record& record, const git_repository& repository)
      : store_(store), record_(record), repository_(repository) {}

  /// False when enough has been read.
  bool take(const tree_entry& entry) {
    if (entry.lfs && !store_.object_size(record_.type, record_.id, entry.lfs->sha256)) return true;
    auto header = store_.weights.find(entry.oid);
    if (!header) {
      header = read(entry);
      store_.weights.keep(entry.oid, *header);
    }
    if (++files_ > files_limit || header->size > left_) return false;
    left_ -= header->size;
    return std::all_of(header->weights.parameters.begin(), header->weights.parameters.end(),
                       [&](const auto& each) { return add(each.first, each.second, summary_); });
  }

  weights_summary& summary() noexcept { return summary_; }

 private:
  weights_header read(const tree_entry& entry) const {
    weights_header read;
    const auto text = entry.lfs ? header_in_file(store_.objects.path_of(entry.lfs->sha256))
                                : header_in(repository_.read_blob(entry.oid).bytes);
    read.size = entry.lfs ? (text ? text->size() : 0) : entry.size;
    if (text) read.weights = read_header(*text);
    return read;
  }

  hub_store& store_;
  const repo_record& record_;
  const git_repository& repository_;
  weights_summary summary_{};
  std::uint64_t left_ = headers_limit;
  std::size_t files_ = 0;
};

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

std::optional<weights_summary> summarize_weights(hub_store& store, const repo_record& record,
                                                 const git_repository& repository,
                                                 const std::string& commit) {
  weights_reader reader(store, record, repository);
  for (const auto& path : repository.file_names(commit)) {
    if (!path.ends_with(".safetensors") || path.find('/') != path.npos) continue;
    const auto entry = repository.find(commit, path);
    if (entry && !reader.take(*entry)) break;
  }
  if (reader.summary().parameters.empty()) return std::nullopt;
  return std::move(reader.summary());
}

bool is_in_range(std::uint64_t number, std::string_view range) {
  const auto value = static_cast<double>(number);
  return value >= bound(range, "min:", 0) &&
         value <= bound(range, "max:", std::numeric_limits<double>::infinity());
}

}  // namespace cohub::server
