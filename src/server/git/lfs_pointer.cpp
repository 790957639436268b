#include "server/git/lfs_pointer.hpp"

#include "core/byte_range.hpp"
#include "core/hex.hpp"

namespace cohub::server {

namespace {
constexpr std::string_view first_line = "version https://git-lfs.github.com/spec/v1\n";
constexpr std::string_view oid_key = "oid sha256:";
constexpr std::string_view size_key = "size ";
}  // namespace

std::string write_lfs_pointer(const lfs_pointer& pointer) {
  std::string text(first_line);
  text.append(oid_key).append(pointer.sha256).append("\n");
  text.append(size_key).append(std::to_string(pointer.size)).append("\n");
  return text;
}

std::optional<lfs_pointer> read_lfs_pointer(std::string_view blob) {
  if (!blob.starts_with(first_line)) return std::nullopt;
  blob.remove_prefix(first_line.size());
  lfs_pointer found;
  while (!blob.empty()) {
    const auto end = blob.find('\n');
    const std::string_view line = blob.substr(0, end);
    blob = end == blob.npos ? std::string_view() : blob.substr(end + 1);
    if (line.starts_with(oid_key)) {
      found.sha256 = std::string(line.substr(oid_key.size()));
    } else if (line.starts_with(size_key)) {
      const auto size = core::parse_decimal(line.substr(size_key.size()));
      if (!size) return std::nullopt;
      found.size = *size;
    }
  }
  if (!core::is_hex(found.sha256, 64)) return std::nullopt;
  return found;
}

std::optional<lfs_pointer> find_lfs_pointer(git_odb* objects, const git_oid& blob) {
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  git_check(git_odb_read_header(&size, &type, objects, &blob), "reading a file's size");
  if (size > lfs_pointer_limit) return std::nullopt;
  git_odb_object* raw = nullptr;
  git_check(git_odb_read(&raw, objects, &blob), "reading a file");
  const git_odb_object_ptr object(raw);
  return read_lfs_pointer({static_cast<const char*>(git_odb_object_data(raw)), size});
}

}  // namespace cohub::server
