#include "io/file_identity.hpp"

#include "core/throw_system.hpp"

#include <boost/system/errc.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace cohub::io {

namespace {

constexpr std::int64_t second = 1'000'000'000;

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * second + time.tv_nsec; }

/// One spelling of a path: absolute, without what means nothing in it. Links stay, so ".." is
/// looked up where it occurs.
std::string normal_path(const std::filesystem::path& path) {
  std::string text = absolute_path(path).string();
  if (text.find("/.") == text.npos && text.find("//") == text.npos) return text;
  if (text.find("/..") != text.npos) {
    std::error_code failure;
    const auto real = std::filesystem::canonical(text, failure);
    if (!failure) return real.string();
  }
  return std::filesystem::path(text).lexically_normal().string();
}

[[noreturn]] void refuse(int code, const std::filesystem::path& path, const char* hint) {
  core::throw_system(code, "opening " + path.string() + hint);
}

/// All but the path.
file_identity identity_of(const struct stat& status) {
  file_identity identity;
  identity.size = static_cast<std::uint64_t>(status.st_size);
  identity.modified = nanoseconds(status.st_mtim);
  identity.changed = nanoseconds(status.st_ctim);
  identity.inode = status.st_ino;
  return identity;
}

}  // namespace

file_identity identify_file(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) refuse(errno, path, "");
  if (S_ISDIR(status.st_mode)) refuse(EISDIR, path, " (a file is expected)");
  if (!S_ISREG(status.st_mode)) refuse(EINVAL, path, " (not a regular file)");
  file_identity identity = identity_of(status);
  identity.path = normal_path(path);
  return identity;
}

void check_readable(const std::filesystem::path& path) {
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) refuse(errno, path, "");
}

bool has_same_content(const file_identity& a, const file_identity& b) noexcept {
  return a.size == b.size && a.modified == b.modified && a.inode == b.inode;
}

file_identity identify_open_file(const file& opened) {
  struct stat status {};
  if (::fstat(opened.native_handle(), &status) != 0) refuse(errno, opened.path(), "");
  file_identity identity = identity_of(status);
  identity.path = opened.path().string();
  return identity;
}

bool has_grown(const file_identity& now, const file_identity& seen) noexcept {
  return now.inode == seen.inode && now.size > seen.size;
}

bool is_settled(const file_identity& seen) noexcept {
  timespec clock{};
  if (::clock_gettime(CLOCK_REALTIME, &clock) != 0) return false;
  // Kernels stamp by the tick, at most 10 ms; some file systems by one or two seconds.
  const bool coarse = seen.modified % second == 0;
  const std::int64_t step = coarse ? 2 * second : second / 50;
  return nanoseconds(clock) - std::max(seen.modified, seen.changed) > step;
}

}  // namespace cohub::io
