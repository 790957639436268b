#pragma once

#include "cohub/repository.hpp"

#include <filesystem>
#include <string>
#include <string_view>

/// Where things lie in the cache that is shared with the Python client (hub-protocol, section 4.3).
namespace cohub::cache {

/// "models--owner--name": the folder of a repository in the cache.
std::string repo_folder_name(repo_type type, std::string_view repo_id);

/// The paths of one repository in a cache: arithmetic alone, no file is touched.
///
/// Names that come from outside are checked: what could leave its folder is refused with
/// errc::invalid_path, an etag that cannot name a file with errc::invalid_response.
class repo_layout {
 public:
  /// @throws error  errc::invalid_repository_id
  repo_layout(std::filesystem::path cache_dir, repo_type type, std::string_view repo_id);

  const std::filesystem::path& cache_dir() const noexcept { return cache_dir_; }
  const std::filesystem::path& folder() const noexcept { return folder_; }
  std::filesystem::path blobs() const { return folder_ / "blobs"; }
  std::filesystem::path refs() const { return folder_ / "refs"; }
  std::filesystem::path snapshots() const { return folder_ / "snapshots"; }

  std::filesystem::path blob(std::string_view etag) const;
  std::filesystem::path ref(std::string_view revision) const;
  std::filesystem::path snapshot(std::string_view commit) const;
  std::filesystem::path pointer(std::string_view commit, std::string_view path) const;
  std::filesystem::path no_exist(std::string_view commit, std::string_view path) const;
  std::filesystem::path tree(std::string_view commit) const;
  std::filesystem::path lock(std::string_view etag) const;
  /// Shared by those who bring a snapshot, and have nothing in the cache yet that keeps it there.
  std::filesystem::path snapshot_lock(std::string_view commit) const;

 private:
  std::filesystem::path cache_dir_;
  std::filesystem::path folder_;
};

/// Of a snapshot's lock file. Those of blobs end in ".lock", whatever a server calls a blob.
std::string snapshot_lock_name(std::string_view commit);

/// What the link `snapshots/<commit>/<path>` holds: the relative way to its blob.
std::string link_text(std::string_view path, std::string_view etag);

/// Content of CACHEDIR.TAG, which tells backup programs to leave the folder out.
std::string_view cachedir_tag() noexcept;

}  // namespace cohub::cache
