#include "cohub/error.hpp"

#include "cache/deletion.hpp"
#include "cache/file_lock.hpp"
#include "cache/leftover.hpp"
#include "io/file.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

// The part of a deletion that takes what interrupted operations left.
namespace cohub::cache {

namespace fs = std::filesystem;

namespace {

using kind = cached_incomplete_file_info::kind;

std::uint64_t freed_by(const struct stat& status) {
  return S_ISREG(status.st_mode) && status.st_nlink == 1 ? allocated_bytes(status) : 0;
}

}  // namespace

/// Whether another process has one of the files that are not complete.
bool deletion::is_downloading(const folder_handle& repo) const {
  const auto blobs = repo.find_child("blobs");
  if (!blobs) return false;
  std::set<std::string> etags;
  for (const auto& name : blobs->names())
    if (auto etag = etag_of_leftover(name)) etags.insert(std::move(*etag));
  return std::any_of(etags.begin(), etags.end(), [&](const std::string& etag) {
    const auto lock = root_ / ".locks" / repo.path().filename() / (etag + ".lock");
    std::error_code ignored;
    return fs::exists(lock, ignored) && !try_lock_file(lock);
  });
}

void deletion::remove_incomplete(const names& path, bool planned) {
  fs::path full = root_;
  for (const auto& name : path) full /= name;
  const auto& name = path.back();
  attempt(full, [&] {
    std::vector<folder_handle> way;
    way.emplace_back(root_);
    if (path.size() > 1) {
      auto repo = open_repo(path.front());
      if (!repo) return;
      way.push_back(std::move(*repo));
    }
    for (std::size_t i = 1; i + 1 < path.size(); ++i) way.push_back(way.back().child(path[i]));
    const auto& folder = way.back();
    const auto found = folder.status(name);
    const auto what = leftover_kind(name).value_or(kind::temporary);
    if (!found) {
      if (planned) ++result_.deleted;
      return;
    }
    // A folder of such a name is on its way out already.
    const bool stale =
        S_ISDIR(found->st_mode) || is_stale(*found, std::chrono::system_clock::now());
    file_lock lock;
    if (what != kind::temporary) {
      const auto locks = root_ / ".locks" / path.front();
      io::create_directories(locks);
      auto taken = try_lock_file(locks / (*etag_of_leftover(name) + ".lock"));
      if (!taken) {
        keep(full, "is being downloaded by another process", true);
        return;
      }
      lock = std::move(*taken);
    }
    if (!stale && !lock.held()) {
      keep(full, "is so new that somebody may be writing it", true);
      return;
    }
    if (what == kind::partial)
      remove_partial(folder, name);
    else
      result_.freed_size += folder.remove_tree(name);
    if (planned && !folder.status(name)) ++result_.deleted;
  });
}

void deletion::remove_partial(const folder_handle& blobs, const std::string& name) {
  const auto stem = name.substr(0, name.rfind('.'));
  const auto partial = stem + ".partial";
  const auto journal = stem + ".journal";
  const auto found = blobs.status(partial);
  io::file content;  // keeps the lock
  if (found && S_ISREG(found->st_mode)) {
    content = io::file(blobs.path() / partial, io::file::mode::read);
    const bool refused = !content.try_lock();
    // One that bears a name of its own is open without a lock.
    const bool shared_name = stem.ends_with(".cohub");
    if (refused || (!shared_name && !is_stale(*found, std::chrono::system_clock::now()))) {
      keep(blobs.path() / name, "is being downloaded", true);
      return;
    }
  }
  // The journal first: without it nobody believes what is in the partial.
  blobs.remove_file(journal);
  if (found && blobs.remove_file(partial)) result_.freed_size += freed_by(*found);
}

}  // namespace cohub::cache
