#include "cache/tree_writer.hpp"

#include "cache/xet_hash.hpp"
#include "hub/python_text.hpp"
#include "hub/utf8.hpp"
#include "io/file.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cohub::cache {

namespace {

constexpr std::size_t write_step = 64 * 1024;

/// A JSON string as Python writes it.
std::string json_string(std::string_view text) {
  return hub::python_json_string(hub::as_utf8(text)).value();
}

std::string fields_of(const tree_entry& entry) {
  auto fields = "\n   \"size\": " + std::to_string(entry.size) +
                ",\n   \"blob_id\": " + json_string(entry.oid);
  if (entry.lfs)
    fields += ",\n   \"lfs_sha256\": " + json_string(entry.lfs->sha256) +
              ",\n   \"lfs_size\": " + std::to_string(entry.lfs->size);
  if (is_xet_hash(entry.xet_hash)) fields += ",\n   \"xet_hash\": " + json_string(entry.xet_hash);
  return fields;
}

void write_lines(io::sorted_spool& lines, io::file& to) {
  std::string text = "{\n \"format_version\": 1,\n \"files\": {";
  std::uint64_t written = 0;
  const auto flush = [&] {
    to.write_at(written, std::as_bytes(std::span(text)));
    written += text.size();
    text.clear();
  };
  const char* separator = "\n";
  lines.for_each([&](std::string_view path, std::string_view fields) {
    text += separator;
    separator = ",\n";
    text.append("  ").append(json_string(path)).append(": {").append(fields).append("\n  }");
    if (text.size() >= write_step) flush();
  });
  text += lines.empty() ? "}\n}" : "\n }\n}";
  flush();
}

}  // namespace

void tree_writer::add(const std::vector<tree_entry>& entries) {
  for (const auto& entry : entries) {
    if (entry.type != tree_entry::kind::file) continue;
    hides_ = hides_ || (!entry.xet_hash.empty() && !is_xet_hash(entry.xet_hash));
    lines_.add(entry.path, fields_of(entry));
  }
}

void tree_writer::write(const std::filesystem::path& path) {
  io::create_directories(path.parent_path());
  io::write_file_atomically(
      path, [this](io::file& to) { write_lines(lines_, to); }, io::durability::process, folder_);
}

}  // namespace cohub::cache
