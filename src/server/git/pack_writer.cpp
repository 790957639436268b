#include "server/git/pack_writer.hpp"

#include "core/hex.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

namespace cohub::server {

namespace {

constexpr std::size_t buffer_size = 1u << 20;
constexpr std::string_view pack_magic("PACK\0\0\0\2", 8);
constexpr std::string_view index_magic("\377tOc\0\0\0\2", 8);
constexpr std::size_t head_size = 12;  // magic, version, number of objects

void append_number(std::string& text, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    text += static_cast<char>((value >> shift) & 0xff);
}

std::string_view bytes_of(const git_oid& id) {
  return {reinterpret_cast<const char*>(id.id), GIT_OID_RAWSZ};
}

git_oid id_of(git_object_t type, std::string_view content) {
  core::digest digest(core::digest::algorithm::sha1);
  const std::string head =
      std::string(git_object_type2string(type)) + ' ' + std::to_string(content.size());
  digest.update(std::string_view(head.c_str(), head.size() + 1));
  digest.update(content);
  git_oid id{};
  const auto raw = digest.raw_digest();
  git_oid_fromraw(&id, reinterpret_cast<const unsigned char*>(raw.data()));
  return id;
}

/// Type and length of an object, the lowest bits first.
std::string object_head(git_object_t type, std::uint64_t size) {
  std::string head;
  auto byte = static_cast<unsigned>(type) << 4 | static_cast<unsigned>(size & 15);
  for (size >>= 4; size > 0; size >>= 7) {
    head += static_cast<char>(byte | 0x80);
    byte = static_cast<unsigned>(size & 0x7f);
  }
  head += static_cast<char>(byte);
  return head;
}

}  // namespace

pack_writer::pack_writer(std::filesystem::path folder)
    : folder_(std::move(folder)),
      temporary_(folder_ / ("tmp_pack_" + io::random_suffix())),
      file_(temporary_, io::file::mode::write_new) {
  if (::deflateInit(&deflater_, Z_BEST_SPEED) != Z_OK) throw std::bad_alloc();
  buffer_.reserve(2 * buffer_size);
  buffer_.assign(head_size, '\0');
}

pack_writer::~pack_writer() {
  ::deflateEnd(&deflater_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void pack_writer::append(std::string_view bytes) {
  crc_ = static_cast<std::uint32_t>(
      ::crc32_z(crc_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  buffer_ += bytes;
  if (buffer_.size() >= buffer_size) flush();
}

void pack_writer::flush() {
  file_.write_at(written_, std::as_bytes(std::span(buffer_)));
  written_ += buffer_.size();
  buffer_.clear();
}

void pack_writer::compress(std::string_view content) {
  ::deflateReset(&deflater_);
  std::array<char, 64 * 1024> piece;
  constexpr std::size_t most = std::numeric_limits<uInt>::max();
  int outcome = Z_OK;
  while (outcome != Z_STREAM_END) {
    if (deflater_.avail_in == 0) {
      const auto next = content.substr(0, most);
      deflater_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(next.data()));
      deflater_.avail_in = static_cast<uInt>(next.size());
      content.remove_prefix(next.size());
    }
    deflater_.next_out = reinterpret_cast<Bytef*>(piece.data());
    deflater_.avail_out = static_cast<uInt>(piece.size());
    outcome = ::deflate(&deflater_, content.empty() ? Z_FINISH : Z_NO_FLUSH);
    if (outcome != Z_OK && outcome != Z_STREAM_END)
      throw std::runtime_error("compressing an object failed");
    append(std::string_view(piece.data(), piece.size() - deflater_.avail_out));
  }
}

git_oid pack_writer::add(git_object_t type, std::string_view content) {
  const git_oid id = id_of(type, content);
  const auto [at, is_new] = entries_.try_emplace(id);
  if (!is_new) return id;
  at->second.offset = written_ + buffer_.size();
  crc_ = 0;
  append(object_head(type, content.size()));
  compress(content);
  at->second.crc = crc_;
  return id;
}

/// Writes the head, which counts the objects, and the checksum of all; yields that.
std::string pack_writer::seal() {
  flush();
  std::string head(pack_magic);
  append_number(head, entries_.size(), 4);
  file_.write_at(0, std::as_bytes(std::span(head)));
  core::digest digest(core::digest::algorithm::sha1);
  std::string piece(buffer_size, '\0');
  for (std::uint64_t at = 0; at < written_;) {
    const auto count = file_.read_at(at, std::as_writable_bytes(std::span(piece)));
    if (count == 0) throw std::runtime_error("a pack became shorter while it was written");
    digest.update(std::string_view(piece).substr(0, count));
    at += count;
  }
  auto checksum = digest.raw_digest();
  file_.write_at(written_, std::as_bytes(std::span(checksum)));
  return checksum;
}

std::string pack_writer::encode_index(const std::string& checksum) const {
  constexpr std::uint64_t far = 0x80000000;  // from here on, an offset stands in a table of its own
  std::vector<const entries::value_type*> sorted;
  sorted.reserve(entries_.size());
  for (const auto& each : entries_) sorted.push_back(&each);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return git_oid_cmp(&a->first, &b->first) < 0; });
  std::array<std::uint32_t, 256> up_to{};
  std::string names, crcs, offsets, far_offsets;
  std::uint64_t far_count = 0;
  for (const auto* const each : sorted) {
    const auto& [id, where] = *each;
    ++up_to[id.id[0]];
    names += bytes_of(id);
    append_number(crcs, where.crc, 4);
    append_number(offsets, where.offset < far ? where.offset : far | far_count++, 4);
    if (where.offset >= far) append_number(far_offsets, where.offset, 8);
  }
  std::string index(index_magic);
  std::uint32_t total = 0;
  for (const auto count : up_to) append_number(index, total += count, 4);
  index += names + crcs + offsets + far_offsets + checksum;
  core::digest digest(core::digest::algorithm::sha1);
  digest.update(index);
  return index + digest.raw_digest();
}

void pack_writer::finish() {
  const auto checksum = seal();
  const auto name = "pack-" + core::to_hex(std::as_bytes(std::span(checksum)));
  const auto pack = folder_ / (name + ".pack");
  const auto index = folder_ / (name + ".idx");
  if (std::filesystem::exists(index)) return;  // the same objects, packed before
  file_.sync();
  // A pack without index is invisible: the index comes last, and is what counts.
  io::rename_file(temporary_, pack);
  temporary_ = pack;
  io::write_file_atomically(index, encode_index(checksum), io::durability::machine);
  temporary_.clear();
}

}  // namespace cohub::server
