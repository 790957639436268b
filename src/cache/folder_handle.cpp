#include "cache/folder_handle.hpp"

#include "core/throw_system.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

namespace cohub::cache {

namespace {

// One descriptor for each folder on the way down.
constexpr int depth_limit = 200;

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

struct close_listing {
  void operator()(DIR* listing) const noexcept { ::closedir(listing); }
};

}  // namespace

folder_handle::folder_handle(std::filesystem::path path)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), folder_flags)) {
  if (descriptor_ < 0) fail(errno, "opening the folder", {});
}

folder_handle::folder_handle(int descriptor, std::filesystem::path path)
    : path_(std::move(path)), descriptor_(descriptor) {}

folder_handle::folder_handle(folder_handle&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

folder_handle::~folder_handle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void folder_handle::fail(int code, const char* doing, const std::string& name) const {
  core::throw_system(code, doing, name.empty() ? path_ : path_ / name);
}

folder_handle folder_handle::child(const std::string& name) const {
  auto found = find_child(name);
  if (!found) fail(ENOENT, "opening the folder", name);
  return std::move(*found);
}

std::optional<folder_handle> folder_handle::find_child(const std::string& name) const {
  const int opened = ::openat(descriptor_, name.c_str(), folder_flags | O_NOFOLLOW);
  if (opened >= 0) return folder_handle(opened, path_ / name);
  if (errno != ENOENT) fail(errno, "opening the folder", name);
  return {};
}

std::vector<std::string> folder_handle::names() const {
  // A descriptor of its own, whose position nobody else moves.
  const int opened = ::openat(descriptor_, ".", folder_flags);
  const std::unique_ptr<DIR, close_listing> listing(opened < 0 ? nullptr : ::fdopendir(opened));
  if (!listing) {
    const int code = errno;
    if (opened >= 0) ::close(opened);
    fail(code, "reading the folder", {});
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const auto* const entry = ::readdir(listing.get());
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  if (errno != 0) fail(errno, "reading the folder", {});
  return names;
}

std::optional<struct stat> folder_handle::status(const std::string& name) const {
  struct stat found {};
  if (::fstatat(descriptor_, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) return found;
  if (errno != ENOENT) fail(errno, "looking at", name);
  return {};
}

bool folder_handle::remove_file(const std::string& name) const {
  if (::unlinkat(descriptor_, name.c_str(), 0) == 0) return true;
  if (errno != ENOENT) fail(errno, "removing", name);
  return false;
}

bool folder_handle::remove_empty_folder(const std::string& name) const {
  if (::unlinkat(descriptor_, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
  if (errno != ENOTEMPTY && errno != EEXIST) fail(errno, "removing the folder", name);
  return false;
}

std::uint64_t folder_handle::remove_tree(const std::string& name) const {
  return remove_tree(name, true, 0);
}

std::uint64_t folder_handle::remove_files_below(const std::string& name) const {
  return remove_tree(name, false, 0);
}

std::uint64_t folder_handle::remove_tree(const std::string& name, bool folders, int depth) const {
  if (depth > depth_limit) fail(ELOOP, "removing the folder", name);
  const auto found = status(name);
  if (!found) return 0;
  if (!S_ISDIR(found->st_mode)) {
    // What another name still holds is not freed.
    const bool frees = S_ISREG(found->st_mode) && found->st_nlink == 1;
    return remove_file(name) && frees ? static_cast<std::uint64_t>(found->st_size) : 0;
  }
  std::uint64_t freed = 0;
  if (const auto folder = find_child(name))
    for (const auto& entry : folder->names())
      freed += folder->remove_tree(entry, folders, depth + 1);
  if (folders && !remove_empty_folder(name)) fail(ENOTEMPTY, "removing the folder", name);
  return freed;
}

bool folder_handle::move(const std::string& name, const folder_handle& to,
                         const std::string& new_name) const {
  if (::renameat(descriptor_, name.c_str(), to.descriptor_, new_name.c_str()) == 0) return true;
  if (errno != ENOENT) fail(errno, "moving", name);
  return false;
}

}  // namespace cohub::cache
