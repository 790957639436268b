#pragma once

#include "cohub/cache.hpp"

#include "cache/blob_links.hpp"
#include "cache/folder_handle.hpp"

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cohub::cache {

/// Carries out a plan, piece by piece. Blocking.
///
/// Refs go first, then snapshots (each vanishes by one rename), then blobs: whatever moment it is
/// killed at, no ref names a missing snapshot, no snapshot lacks a blob, and `prune` finds the
/// rest. A blob goes under the lock that downloads take, and only if no snapshot leads to it by
/// then. Nothing outside the cache is touched, whatever the plan and the links in the cache say.
class deletion {
 public:
  /// @throws error  errc::local_entry_not_found: there is no such cache
  explicit deletion(const delete_cache_strategy& plan);
  deletion(deletion&&) = delete;

  /// Does one bounded piece; false when nothing is left to do.
  bool step();

  const delete_cache_result& result() const noexcept { return result_; }

 private:
  using names = std::vector<std::string>;  // of a path, relative to the cache
  struct repo_work {
    bool whole = false;
    names snapshots{};
    names blobs{};
    std::vector<names> refs{};
    std::vector<names> incomplete{};
  };

  void add(const std::filesystem::path& cache_dir, const std::filesystem::path& path,
           const std::function<bool(repo_work&, names)>& take);
  void plan_repo(const std::string& repo, const repo_work& work);
  void plan_blobs(std::deque<std::function<void()>>& steps, const std::string& repo,
                  const names& blobs, bool planned);
  void attempt(const std::filesystem::path& path, const std::function<void()>& work);
  void keep(const std::filesystem::path& path, std::string reason, bool in_use);

  std::optional<folder_handle> open_repo(const std::string& repo);
  void remove_ref(const std::string& repo, const names& path, const names& snapshots);
  void remove_snapshot(const std::string& repo, const std::string& name, bool named_is_kept);
  bool is_downloading(const folder_handle& repo) const;
  void remove_blobs(const std::string& repo, const names& blobs, bool planned);
  void remove_incomplete(const names& path, bool planned);
  void remove_partial(const folder_handle& blobs, const std::string& name);
  void begin_whole(const std::string& repo);
  bool end_whole(const std::string& repo);
  bool has_refs(const std::string& repo) const;
  void remove_if_empty(const std::string& repo);

  std::filesystem::path root_;
  std::map<std::string, repo_work> repos_{};  // by folder name; "": the root itself
  std::deque<std::function<void()>> steps_{};
  std::map<std::string, blob_links> links_{};  // of the repository at work
  delete_cache_result result_{};
};

}  // namespace cohub::cache
