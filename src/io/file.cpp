#include "io/file.hpp"

#include "core/hex.hpp"
#include "core/throw_system.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

namespace cohub::io {

namespace {

constexpr mode_t shared_mode = 0666;  // less the umask
constexpr mode_t private_mode = 0600;

constexpr std::string_view temporary_prefix = ".tmp-";

/// Repeats a call that a signal interrupted.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

int open_descriptor(const std::filesystem::path& path, int flags, const char* doing,
                    mode_t permissions = shared_mode) {
  const int descriptor =
      uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, permissions); });
  if (descriptor < 0) core::throw_system(errno, doing, path);
  return descriptor;
}

off_t to_offset(std::uint64_t offset, const std::filesystem::path& path) {
  if (offset > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()))
    core::throw_system(EFBIG, "seeking in", path);
  return static_cast<off_t>(offset);
}

}  // namespace

file::file(std::filesystem::path path, mode how) : path_(std::move(path)) {
  switch (how) {
    case mode::read:
      // Nobody waits for a pipe's other end that somebody laid in the way.
      descriptor_ = open_descriptor(path_, O_RDONLY | O_NONBLOCK, "opening");
      break;
    case mode::write_new:
      descriptor_ = open_descriptor(path_, O_RDWR | O_CREAT | O_EXCL, "creating");
      break;
    case mode::write_new_private:
      descriptor_ = open_descriptor(path_, O_RDWR | O_CREAT | O_EXCL, "creating", private_mode);
      break;
    case mode::read_write:
      descriptor_ = open_descriptor(path_, O_RDWR | O_CREAT | O_NOFOLLOW, "opening for writing");
      break;
    case mode::read_write_private:
      descriptor_ = open_descriptor(path_, O_RDWR | O_CREAT | O_NOFOLLOW, "opening for writing",
                                    private_mode);
      break;
  }
}

std::optional<file> file::make_unnamed(const std::filesystem::path& folder, mode created) {
  const mode_t permissions = created == mode::write_new_private ? private_mode : shared_mode;
  const char* const where = folder.empty() ? "." : folder.c_str();
  const int descriptor =
      uninterrupted([&] { return ::open(where, O_TMPFILE | O_RDWR | O_CLOEXEC, permissions); });
  if (descriptor < 0) return {};  // whatever is wrong with the folder, who names a file in it hears
  return file(folder, descriptor);
}

file file::make_scratch(const std::filesystem::path& folder) {
  if (auto unnamed = make_unnamed(folder, mode::write_new_private)) return std::move(*unnamed);
  file named(folder / temporary_name(), mode::write_new_private);
  ::unlink(named.path().c_str());
  return named;
}

file::file(file&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

file& file::operator=(file&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) ::close(descriptor_);
    path_ = std::move(other.path_);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

file::~file() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::uint64_t file::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) < 0) core::throw_system(errno, "reading the size of", path_);
  return static_cast<std::uint64_t>(status.st_size);
}

std::size_t file::read_at(std::uint64_t offset, std::span<std::byte> buffer) const {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const auto rest = buffer.subspan(filled);
    const auto position = to_offset(offset + filled, path_);
    const auto count =
        uninterrupted([&] { return ::pread(descriptor_, rest.data(), rest.size(), position); });
    if (count < 0) core::throw_system(errno, "reading", path_);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

/// The kernel backs a large write by large pages, for which it must find, and a virtual machine's
/// host provide, memory in one piece: from 128 KiB on, that now and then costs three times what the
/// calls cost that it saves.
constexpr std::size_t write_piece = 64 * 1024;

void file::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto rest = bytes.subspan(written);
    const auto position = to_offset(offset + written, path_);
    const auto count = uninterrupted([&] {
      return ::pwrite(descriptor_, rest.data(), std::min(rest.size(), write_piece), position);
    });
    if (count < 0) core::throw_system(errno, "writing", path_);
    if (count == 0) core::throw_system(EIO, "writing", path_);
    written += static_cast<std::size_t>(count);
  }
}

void file::truncate(std::uint64_t size) {
  const auto length = to_offset(size, path_);
  if (uninterrupted([&] { return ::ftruncate(descriptor_, length); }) < 0)
    core::throw_system(errno, "setting the size of", path_);
}

void file::sync() {
  if (uninterrupted([&] { return ::fsync(descriptor_); }) < 0)
    core::throw_system(errno, "syncing", path_);
}

file::lock file::ask_lock() {
  if (uninterrupted([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); }) == 0)
    return lock::taken;
  return errno == EWOULDBLOCK ? lock::refused : lock::none;
}

bool file::is_in_place() const noexcept {
  struct stat held {};
  struct stat named {};
  return ::fstat(descriptor_, &held) == 0 && ::lstat(path_.c_str(), &named) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

bool file::link_as(const std::filesystem::path& name) {
  int outcome = ::linkat(descriptor_, "", AT_FDCWD, name.c_str(), AT_EMPTY_PATH);
  if (outcome < 0 && errno == ENOENT) {  // older kernels want a privilege for that
    const auto self = "/proc/self/fd/" + std::to_string(descriptor_);
    outcome = ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW);
  }
  if (outcome == 0) path_ = name;
  return outcome == 0;
}

void file::close() {
  if (descriptor_ < 0) return;
  // Not repeated after EINTR: Linux has released the descriptor by then.
  if (::close(std::exchange(descriptor_, -1)) < 0 && errno != EINTR)
    core::throw_system(errno, "closing", path_);
}

file file::duplicate() const {
  const int copy = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) core::throw_system(errno, "duplicating", path_);
  return file(path_, copy);
}

std::string read_file(const std::filesystem::path& path, std::uint64_t limit) {
  const file opened(path, file::mode::read);
  struct stat status {};
  if (::fstat(opened.native_handle(), &status) < 0) core::throw_system(errno, "reading", path);
  if (!S_ISREG(status.st_mode)) core::throw_system(EINVAL, "reading what is no file:", path);
  std::string content;
  std::array<std::byte, 16 * 1024> piece;
  for (;;) {
    const std::size_t count = opened.read_at(content.size(), piece);
    if (content.size() + count > limit)
      core::throw_system(EFBIG, "reading more than " + std::to_string(limit) + " bytes of", path);
    content.append(reinterpret_cast<const char*>(piece.data()), count);
    if (count < piece.size()) return content;
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           durability survives, const std::filesystem::path& temporary_directory,
                           file::mode created) {
  write_file_atomically(path, std::as_bytes(std::span(content)), survives, temporary_directory,
                        created);
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> content,
                           durability survives, const std::filesystem::path& temporary_directory,
                           file::mode created) {
  write_file_atomically(
      path, [content](file& to) { to.write_at(0, content); }, survives, temporary_directory,
      created);
}

void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(file& to)>& write, durability survives,
                           const std::filesystem::path& temporary_directory, file::mode created) {
  const auto fill = [&](file& to) {
    write(to);
    if (survives == durability::machine) to.sync();
  };
  const auto folder = temporary_directory.empty() ? path.parent_path() : temporary_directory;
  auto unnamed = file::make_unnamed(folder, created);
  if (unnamed) {
    fill(*unnamed);
    if (unnamed->link_as(path)) {
      if (survives == durability::machine) sync_folder(path.parent_path());
      return;
    }
  }
  // Something is to be replaced, which only a rename does.
  const auto temporary = folder / temporary_name();
  const bool is_written = unnamed && unnamed->link_as(temporary);
  if (!is_written) unnamed.emplace(temporary, created);
  try {
    if (!is_written) fill(*unnamed);
    unnamed->close();
    rename_file(temporary, path, survives);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void rename_file(const std::filesystem::path& from, const std::filesystem::path& to,
                 durability survives) {
  if (::rename(from.c_str(), to.c_str()) < 0)
    core::throw_system(errno, "renaming " + from.string() + " to", to);
  if (survives == durability::machine) sync_folder(to.parent_path());
}

void sync_folder(const std::filesystem::path& folder) {
  const auto& opened = folder.empty() ? std::filesystem::path(".") : folder;
  const int descriptor = open_descriptor(opened, O_RDONLY | O_DIRECTORY, "opening the folder");
  const int outcome = uninterrupted([&] { return ::fsync(descriptor); });
  const int code = errno;
  ::close(descriptor);
  // Some network file systems cannot sync a folder, and need no telling.
  if (outcome < 0 && code != EINVAL && code != EROFS)
    core::throw_system(code, "syncing the folder", opened);
}

void create_directories(const std::filesystem::path& path, durability survives) {
  std::error_code failure;
  if (survives == durability::machine) {
    if (path.empty() || std::filesystem::exists(path, failure)) return;
    create_directories(path.parent_path(), survives);
  }
  std::filesystem::create_directories(path, failure);
  if (failure) core::throw_system(failure.value(), "creating the folder", path);
  if (survives == durability::machine) sync_folder(path.parent_path());
}

std::filesystem::path absolute_path(const std::filesystem::path& path) {
  std::error_code failure;
  auto absolute = std::filesystem::absolute(path, failure);
  if (failure) throw error(failure, "looking for " + path.string());
  return absolute;
}

void create_private_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return;
  const int code = errno;
  std::error_code unknown;
  if (code != EEXIST || !std::filesystem::is_directory(path, unknown))
    core::throw_system(code, "creating the folder", path);
}

std::string random_suffix() {
  std::array<std::byte, 4> bytes{};
  const auto count = uninterrupted([&] { return ::getrandom(bytes.data(), bytes.size(), 0); });
  if (count != static_cast<ssize_t>(bytes.size()))
    core::throw_system(errno, "drawing a random name for");
  return core::to_hex(bytes);
}

std::string temporary_name() { return std::string(temporary_prefix) + random_suffix(); }

bool is_temporary_name(std::string_view name) noexcept {
  return name.starts_with(temporary_prefix) &&
         core::is_hex(name.substr(temporary_prefix.size()), 8);
}

temporary_directory::temporary_directory(const std::filesystem::path& parent) {
  std::error_code failure;
  const auto folder = parent.empty() ? std::filesystem::temp_directory_path(failure) : parent;
  if (failure) core::throw_system(failure.value(), "finding the folder for temporary files");
  auto name = (folder / "cohub-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    core::throw_system(errno, "creating a temporary folder in", folder);
  path_ = std::move(name);
}

temporary_directory::temporary_directory(temporary_directory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace cohub::io
