#include "cache/blob_links.hpp"

#include "cache/leftover.hpp"
#include "cache/snapshot_walk.hpp"

#include <sys/stat.h>

#include <chrono>
#include <string>
#include <vector>

namespace cohub::cache {

namespace fs = std::filesystem;

namespace {

/// When a folder last changed; of none, never.
std::timespec changed_at(const fs::path& folder) {
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0) return {};
  return status.st_ctim;
}

}  // namespace

const std::set<fs::path>* blob_links::current() {
  if (!linked_ || !is_unchanged()) read();
  return linked_ ? &*linked_ : nullptr;
}

bool blob_links::is_unchanged() const {
  if (!is_settled_) return false;
  for (const auto& [folder, then] : folders_) {
    const auto now = changed_at(folder);
    if (now.tv_sec != then.tv_sec || now.tv_nsec != then.tv_nsec) return false;
  }
  return true;
}

void blob_links::read() {
  folders_.clear();
  linked_.emplace();
  is_settled_ = true;
  std::vector<cache_warning> warnings;
  const auto visit = [this](const fs::path& file, const std::string&) {
    try {
      linked_->insert(resolve_file(repo_, file));
    } catch (const fs::filesystem_error&) {  // leads to nothing, so to no blob
    }
  };
  // The time is taken before the folder is read: a link that is missed shows in it.
  const auto enter = [this](const fs::path& folder) {
    const auto time = changed_at(folder);
    if (time_of(time) + granularity_ > std::chrono::system_clock::now()) is_settled_ = false;
    folders_.emplace(folder, time);
  };
  walk_files(repo_ / "snapshots", warnings, visit, enter);
  if (!warnings.empty()) linked_.reset();
}

}  // namespace cohub::cache
