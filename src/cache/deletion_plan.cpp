#include "cohub/cache.hpp"

#include "hub/repo_id.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <set>

namespace cohub {

namespace fs = std::filesystem;

namespace {

using chosen_revision = std::function<bool(const cached_repo_info&, const cached_revision_info&)>;

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

/// Adds what goes when some revisions of a repository go, and others stay.
void plan_revisions(delete_cache_strategy& plan, const cached_repo_info& repo,
                    const chosen_revision& is_chosen) {
  std::set<fs::path> kept;
  for (const auto& revision : repo.revisions)
    if (!is_chosen(repo, revision))
      for (const auto& file : revision.files) kept.insert(file.blob_path);
  std::set<fs::path> blobs;
  for (const auto& revision : repo.revisions) {
    if (!is_chosen(repo, revision)) continue;
    plan.snapshots.push_back(revision.snapshot_path);
    for (const auto& ref : revision.refs) plan.refs.push_back(repo.repo_path / "refs" / ref);
    std::set<fs::path> inside;
    for (const auto& file : revision.files) {
      if (is_below(file.blob_path, revision.snapshot_path)) {
        // Without links the content is in the snapshot, and goes with it.
        if (inside.insert(file.blob_path).second) plan.expected_freed_size += file.size_on_disk;
      } else if (file.blob_path.parent_path() == repo.repo_path / "blobs" &&
                 !kept.contains(file.blob_path) && blobs.insert(file.blob_path).second) {
        plan.expected_freed_size += file.size_on_disk;
      }
    }
  }
  plan.blobs.insert(plan.blobs.end(), blobs.begin(), blobs.end());
}

void plan_repo(delete_cache_strategy& plan, const cached_repo_info& repo,
               const chosen_revision& is_chosen) {
  const auto going =
      std::count_if(repo.revisions.begin(), repo.revisions.end(),
                    [&](const cached_revision_info& one) { return is_chosen(repo, one); });
  if (going == 0) return;
  if (static_cast<std::size_t>(going) < repo.revisions.size()) {
    plan_revisions(plan, repo, is_chosen);
    return;
  }
  plan.repos.push_back(repo.repo_path);
  plan.expected_freed_size += repo.size_on_disk;
}

}  // namespace

std::string cached_repo_info::cache_id() const {
  return std::string(hub::singular(type)) + '/' + repo_id;
}

std::uint64_t cache_info::incomplete_size_on_disk() const noexcept {
  std::uint64_t size = 0;
  for (const auto& file : incomplete_files) size += file.size_on_disk;
  return size;
}

delete_cache_strategy cache_info::delete_revisions(
    const std::vector<std::string>& revisions) const {
  const std::set<std::string> wanted(revisions.begin(), revisions.end());
  std::set<std::string> found;
  const auto is_chosen = [&](const cached_repo_info& repo, const cached_revision_info& revision) {
    const auto id = repo.cache_id();
    bool chosen = false;
    for (const auto& name : {revision.commit_hash, id, id + '@' + revision.commit_hash}) {
      if (!wanted.contains(name)) continue;
      found.insert(name);
      chosen = true;
    }
    return chosen;
  };
  delete_cache_strategy plan;
  plan.cache_dir = cache_dir;
  for (const auto& repo : repos) {
    // A repository without any revision can still be named.
    if (repo.revisions.empty() && wanted.contains(repo.cache_id())) {
      found.insert(repo.cache_id());
      plan.repos.push_back(repo.repo_path);
    }
    plan_repo(plan, repo, is_chosen);
  }
  std::set_difference(wanted.begin(), wanted.end(), found.begin(), found.end(),
                      std::back_inserter(plan.not_found));
  return plan;
}

delete_cache_strategy cache_info::prune() const {
  delete_cache_strategy plan;
  plan.cache_dir = cache_dir;
  const auto is_detached = [](const cached_repo_info& repo, const cached_revision_info& revision) {
    return repo.refs_known && revision.refs.empty();
  };
  // Never a whole folder: a download may be at work in it, which the deletion then goes around. An
  // empty one goes at the end.
  for (const auto& repo : repos) plan_revisions(plan, repo, is_detached);
  for (const auto& blob : unlinked_blobs) {
    plan.blobs.push_back(blob.blob_path);
    plan.expected_freed_size += blob.size_on_disk;
  }
  for (const auto& file : incomplete_files) {
    plan.incomplete_files.push_back(file.file_path);
    plan.expected_freed_size += file.size_on_disk;
  }
  return plan;
}

std::string format_size(std::uint64_t bytes) {
  auto number = static_cast<double>(bytes);
  std::array<char, 32> text{};
  for (const char* unit : {"", "K", "M", "G", "T", "P", "E"}) {
    if (number < 1000.0) {
      std::snprintf(text.data(), text.size(), "%3.1f%s", number, unit);
      break;
    }
    number /= 1000.0;
  }
  return text.data();
}

}  // namespace cohub
