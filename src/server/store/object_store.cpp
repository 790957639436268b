#include "server/store/object_store.hpp"

#include <system_error>
#include <utility>
#include <vector>

namespace cohub::server {

namespace {

constexpr std::size_t read_piece = 1u << 20;

}  // namespace

object_store::object_store(std::filesystem::path folder, std::filesystem::path temporary)
    : folder_(std::move(folder)), temporary_(std::move(temporary)) {
  io::create_directories(folder_);
}

std::filesystem::path object_store::path_of(const std::string& sha256) const {
  return folder_ / sha256.substr(0, 2) / sha256.substr(2, 2) / sha256;
}

std::optional<std::uint64_t> object_store::size_of(const std::string& sha256) const {
  std::error_code code;
  const auto size = std::filesystem::file_size(path_of(sha256), code);
  if (code) return std::nullopt;
  return size;
}

void object_store::place(const std::filesystem::path& file, const std::string& sha256) const {
  const auto target = path_of(sha256);
  io::create_directories(target.parent_path(), io::durability::machine);
  io::rename_file(file, target, io::durability::machine);
}

bool object_store::is_object(const std::filesystem::path& file, const std::string& sha256,
                             std::uint64_t size) {
  io::file content(file, io::file::mode::read_write);
  if (content.size() != size) return false;
  core::digest digest(core::digest::algorithm::sha256);
  std::vector<std::byte> piece(read_piece);
  for (std::uint64_t offset = 0; offset < size;) {
    const std::size_t count = content.read_at(offset, piece);
    if (count == 0) return false;
    digest.update(std::span<const std::byte>(piece).first(count));
    offset += count;
  }
  if (digest.hex_digest() != sha256) return false;
  content.sync();
  return true;
}

void object_store::remove(const std::string& sha256) const {
  std::filesystem::remove(path_of(sha256));
}

incoming_object::incoming_object(const object_store& store)
    : store_(store),
      file_(store.temporary() / ("object-" + io::random_suffix() + io::random_suffix()),
            io::file::mode::write_new),
      digest_(core::digest::algorithm::sha256) {}

incoming_object::~incoming_object() {
  std::error_code ignored;
  if (file_.is_open()) std::filesystem::remove(file_.path(), ignored);
}

void incoming_object::write(std::span<const std::byte> bytes) {
  digest_.update(bytes);
  file_.write_at(size_, bytes);
  size_ += bytes.size();
}

bool incoming_object::store_as(const std::string& sha256, std::uint64_t size) {
  if (size_ != size || digest_.hex_digest() != sha256) return false;
  file_.sync();
  store_.place(file_.path(), sha256);
  file_.close();
  return true;
}

}  // namespace cohub::server
