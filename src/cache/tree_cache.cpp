#include "cache/tree_cache.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "core/hex.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_path.hpp"
#include "io/file.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace cohub::cache {

namespace {

constexpr std::uint64_t tree_limit = 256u << 20;
constexpr auto no_size = std::numeric_limits<std::uint64_t>::max();

void append_escape(std::string& text, unsigned unit) {
  constexpr std::string_view digits = "0123456789abcdef";
  text += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) text += digits[(unit >> shift) & 15];
}

/// The code point at `at`, which moves behind it; bytes that are no UTF-8 become U+FFFD.
std::uint32_t take_code_point(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at++]);
  if (first < 0x80) return first;
  const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  if (more == 0 || first > 0xf4) return 0xfffd;
  std::uint32_t value = first & (0x3fu >> more);
  for (int i = 0; i < more; ++i) {
    if (at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) return 0xfffd;
    value = value << 6 | (static_cast<unsigned char>(text[at++]) & 0x3fu);
  }
  return value;
}

/// A JSON string in ASCII, as Python writes it.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const auto point = take_code_point(text, at);
    if (point == '"' || point == '\\') {
      out += '\\';
      out += static_cast<char>(point);
    } else if (point >= 0x20 && point < 0x7f) {
      out += static_cast<char>(point);
    } else if (point < 0x10000) {
      append_escape(out, point);
    } else {
      append_escape(out, 0xd800 + ((point - 0x10000) >> 10));
      append_escape(out, 0xdc00 + ((point - 0x10000) & 0x3ff));
    }
  }
  return out + '"';
}

/// 64 hex digits of either case. A gated repository shows stars instead to those without access.
bool is_xet_hash(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), core::is_hex_digit);
}

std::optional<tree_entry> decode_entry(std::string_view path, const boost::json::value& value) {
  const auto* fields = value.if_object();
  if (fields == nullptr || !hub::check_download_path(path)) return {};
  tree_entry entry;
  entry.path = path;
  entry.oid = hub::text_or(*fields, "blob_id");
  entry.size = hub::number_or(*fields, "size", no_size);
  const auto hash = hub::text_or(*fields, "xet_hash");
  if (!hash.empty() && !is_xet_hash(hash)) return {};  // hidden from whoever listed it
  entry.xet_hash = hash;
  if (!core::is_hex(entry.oid, 40) || entry.size == no_size) return {};
  if (auto sha256 = hub::text_or(*fields, "lfs_sha256"); !sha256.empty()) {
    if (!core::is_hex(sha256, 64)) return {};
    lfs_info large;
    large.sha256 = std::move(sha256);
    large.size = hub::number_or(*fields, "lfs_size", no_size);
    if (large.size == no_size) return {};
    entry.lfs = std::move(large);
  }
  return entry;
}

}  // namespace

void tree_text::add(const std::vector<tree_entry>& entries) {
  for (const auto& entry : entries) {
    if (entry.type != tree_entry::kind::file) continue;
    const bool has_hash = is_xet_hash(entry.xet_hash);
    hides_ = hides_ || (!entry.xet_hash.empty() && !has_hash);
    auto& [path, fields] = lines_.emplace_back();
    path = entry.path;
    fields = "\n   \"size\": " + std::to_string(entry.size) +
             ",\n   \"blob_id\": " + json_string(entry.oid);
    if (entry.lfs)
      fields += ",\n   \"lfs_sha256\": " + json_string(entry.lfs->sha256) +
                ",\n   \"lfs_size\": " + std::to_string(entry.lfs->size);
    if (has_hash) fields += ",\n   \"xet_hash\": " + json_string(entry.xet_hash);
    fields.shrink_to_fit();
  }
}

std::string tree_text::str() const {
  constexpr std::size_t around_a_line = 16, around_all = 64;
  std::size_t size = around_all;
  std::vector<const line*> sorted;
  sorted.reserve(lines_.size());
  for (const auto& each : lines_) {
    sorted.push_back(&each);
    size += each.path.size() + each.fields.size() + around_a_line;
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const line* a, const line* b) { return a->path < b->path; });
  std::string text = "{\n \"format_version\": 1,\n \"files\": {";
  text.reserve(size);  // by growing it would be in memory two or three times
  const char* separator = "\n";
  for (const auto* each : sorted) {
    text += separator;
    separator = ",\n";
    text += "  " + json_string(each->path) + ": {" + each->fields + "\n  }";
  }
  return text + (sorted.empty() ? "}\n}" : "\n }\n}");
}

namespace {

std::optional<std::vector<tree_entry>> decode_files(const boost::json::value& listing) {
  const auto* top = listing.if_object();
  if (top == nullptr || hub::number_or(*top, "format_version") != 1) return {};
  const auto* files = top->if_contains("files");
  if (files == nullptr || !files->is_object()) return {};
  std::vector<tree_entry> entries;
  entries.reserve(files->get_object().size());
  for (const auto& [path, value] : files->get_object()) {
    auto entry = decode_entry(std::string_view(path.data(), path.size()), value);
    if (!entry) return {};
    entries.push_back(std::move(*entry));
  }
  return entries;
}

}  // namespace

std::optional<std::vector<tree_entry>> decode_tree(std::string_view text) {
  const auto parsed = hub::parse_json(text);
  if (!parsed) return {};
  return decode_files(*parsed);
}

std::optional<std::vector<tree_entry>> read_tree(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return {};
  try {
    auto text = io::read_file(path, tree_limit);
    const auto parsed = hub::parse_json(text);
    text = std::string();  // as large as what comes of it
    if (!parsed) return {};
    return decode_files(*parsed);
  } catch (const error&) {
    return {};
  }
}

void write_tree(const std::filesystem::path& path, const tree_text& listing) {
  if (!listing.is_worth_keeping()) return;
  const auto text = listing.str();
  if (text.size() > tree_limit) return;  // nobody would read it
  io::create_directories(path.parent_path());
  io::write_file_atomically(path, text, io::durability::process, path.parent_path().parent_path());
}

}  // namespace cohub::cache
