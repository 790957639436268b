#include "cache/repo_cache.hpp"

#include "cohub/error.hpp"

#include "core/throw_system.hpp"
#include "hub/file_metadata.hpp"
#include "hub/repo_id.hpp"
#include "io/file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <system_error>

namespace cohub::cache {

namespace {

constexpr std::uint64_t ref_limit = 4096;

bool is_regular(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);  // follows links: dangling is false
}

/// File systems without links, and folders that forbid them.
bool links_unsupported(int code) {
  return code == EPERM || code == EACCES || code == ENOSYS || code == EOPNOTSUPP || code == EINVAL;
}

/// Removes a temporary unless it was moved to its place.
struct temporary {
  std::filesystem::path path;
  bool moved = false;
  ~temporary() {
    if (!moved) ::unlink(path.c_str());
  }
};

}  // namespace

void write_cachedir_tag(const std::filesystem::path& folder) {
  const auto tag = folder / "CACHEDIR.TAG";
  std::error_code ignored;
  if (std::filesystem::exists(tag, ignored)) return;
  try {
    io::write_file_atomically(tag, cachedir_tag());
  } catch (const error&) {
  }
}

void repo_cache::prepare() const {
  io::create_directories(layout_.blobs());
  io::create_directories(layout_.snapshots());
  io::create_directories(layout_.cache_dir() / ".locks" / layout_.folder().filename());
  write_cachedir_tag(layout_.cache_dir());
}

std::optional<std::string> repo_cache::read_ref(std::string_view revision) const {
  const auto path = layout_.ref(revision);
  if (!is_regular(path)) return {};
  try {
    auto text = io::read_file(path, ref_limit);
    if (hub::is_commit_id(text)) return text;
  } catch (const error&) {  // went away, or is no ref
  }
  return {};
}

void repo_cache::write_ref(std::string_view revision, std::string_view commit) const {
  if (revision == commit || read_ref(revision) == commit) return;
  const auto path = layout_.ref(revision);
  io::create_directories(path.parent_path());
  io::write_file_atomically(path, commit, io::durability::process, layout_.folder());
}

std::optional<std::string> repo_cache::resolve(std::string_view revision) const {
  if (hub::is_commit_id(revision)) return std::string(revision);
  return read_ref(revision);
}

std::optional<std::filesystem::path> repo_cache::find_file(std::string_view commit,
                                                           std::string_view path) const {
  auto pointer = layout_.pointer(commit, path);
  if (!is_regular(pointer)) return {};
  return pointer;
}

std::optional<std::filesystem::path> repo_cache::find_file(std::string_view commit,
                                                           std::string_view path,
                                                           std::uint64_t size) const {
  auto pointer = layout_.pointer(commit, path);
  std::error_code absent;
  if (std::filesystem::file_size(pointer, absent) != size || absent) return {};
  return pointer;
}

cached_file repo_cache::try_to_load(std::string_view revision, std::string_view path) const {
  cached_file found;
  const auto commit = resolve(revision);
  if (!commit) return found;
  if (auto file = find_file(*commit, path)) {
    found.what = cached_file::knowledge::present;
    found.path = std::move(*file);
  } else if (is_regular(layout_.no_exist(*commit, path))) {
    found.what = cached_file::knowledge::absent;
  }
  return found;
}

void repo_cache::mark_no_exist(std::string_view commit, std::string_view path) const {
  const auto mark = layout_.no_exist(commit, path);
  io::create_directories(mark.parent_path());
  const io::file touched(mark, io::file::mode::read_write);
}

bool repo_cache::has_blob(std::string_view etag, std::uint64_t size) const {
  const auto blob = layout_.blob(etag);
  if (!is_regular(blob)) return false;
  std::error_code went;
  const auto there = std::filesystem::file_size(blob, went);
  if (went || there == size) return !went;
  // A checksum tells which of the two is damaged.
  if (hub::kind_of_etag(etag) != hub::etag_kind::opaque) return false;
  throw error(errc::content_mismatch, "the cache has " + std::to_string(there) +
                                          " bytes by the etag of " + std::to_string(size) + ", \"" +
                                          std::string(etag) + "\"");
}

std::filesystem::path repo_cache::link_blob(std::string_view commit, std::string_view path,
                                            std::string_view etag, blob_age age) const {
  return *link(commit, path, etag, age, std::numeric_limits<std::uint64_t>::max());
}

std::optional<std::filesystem::path> repo_cache::try_link_blob(std::string_view commit,
                                                               std::string_view path,
                                                               std::string_view etag,
                                                               std::uint64_t copy_limit) const {
  return link(commit, path, etag, blob_age::existing, copy_limit);
}

std::filesystem::path repo_cache::temporary_name() const {
  return layout_.folder() / io::temporary_name();
}

std::optional<std::filesystem::path> repo_cache::link(std::string_view commit,
                                                      std::string_view path, std::string_view etag,
                                                      blob_age age,
                                                      std::uint64_t copy_limit) const {
  const auto blob = layout_.blob(etag);
  auto pointer = layout_.pointer(commit, path);
  if (links_ == link_support::probe &&
      ::symlink(link_text(path, etag).c_str(), pointer.c_str()) == 0)
    return pointer;  // nothing was there, and its folder was
  struct stat status {};
  if (::lstat(pointer.c_str(), &status) == 0) {
    std::error_code differs;
    if (S_ISLNK(status.st_mode) && std::filesystem::equivalent(pointer, blob, differs))
      return pointer;
    // A cache without links holds the content itself.
    if (S_ISREG(status.st_mode) && age == blob_age::existing) return pointer;
  }
  io::create_directories(pointer.parent_path());
  if (links_ == link_support::probe) {
    temporary made{temporary_name()};
    if (::symlink(link_text(path, etag).c_str(), made.path.c_str()) == 0) {
      io::rename_file(made.path, pointer);
      made.moved = true;
      return pointer;
    }
    made.moved = true;  // there is nothing to remove
    if (!links_unsupported(errno)) core::throw_system(errno, "linking a blob as", pointer);
  }
  std::error_code gone;
  if (age == blob_age::existing && std::filesystem::file_size(blob, gone) > copy_limit && !gone)
    return {};
  place_without_link(blob, pointer, age);
  return pointer;
}

void repo_cache::place_without_link(const std::filesystem::path& blob,
                                    const std::filesystem::path& pointer, blob_age age) const {
  if (age == blob_age::fresh) {
    io::rename_file(blob, pointer);
    return;
  }
  temporary copy{temporary_name()};
  std::error_code failure;
  std::filesystem::copy_file(blob, copy.path, failure);
  if (failure) core::throw_system(failure.value(), "copying a blob to", pointer);
  io::rename_file(copy.path, pointer);
  copy.moved = true;
}

}  // namespace cohub::cache
