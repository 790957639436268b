#include "cache/tree_writer.hpp"

#include "cache/xet_hash.hpp"
#include "io/file.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cohub::cache {

namespace {

constexpr std::size_t write_step = 64 * 1024;

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
