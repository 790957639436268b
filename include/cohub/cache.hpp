#pragma once

#include "cohub/repository.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cohub {

/// One file of a cached revision (`CachedFileInfo` in Python).
struct cached_file_info {
  std::string file_name{};  ///< path within the snapshot, with '/'
  std::filesystem::path
      file_path{};  ///< in the snapshot: a link to the blob, or the content itself
  std::filesystem::path blob_path{};  ///< where the content is, all links followed
  std::uint64_t size_on_disk = 0;     ///< of the content, in bytes
  std::chrono::system_clock::time_point blob_last_accessed{};
  std::chrono::system_clock::time_point blob_last_modified{};
};

/// One revision of a cached repository (`CachedRevisionInfo` in Python).
struct cached_revision_info {
  std::string commit_hash{};
  std::filesystem::path snapshot_path{};
  std::uint64_t size_on_disk = 0;  ///< in bytes; content that several files share counts once
  std::vector<cached_file_info> files{};  ///< sorted by name
  std::vector<std::string> refs{};  ///< that name this revision, sorted; empty: it is detached
  std::chrono::system_clock::time_point
      last_modified{};  ///< of its newest content; empty: of its folder
};

/// One repository in the cache (`CachedRepoInfo` in Python).
struct cached_repo_info {
  std::string repo_id{};  ///< "owner/name", or "name"
  repo_type type = repo_type::model;
  std::filesystem::path repo_path{};
  std::uint64_t size_on_disk = 0;  ///< in bytes; content that several revisions share counts once
  std::size_t nb_files = 0;        ///< different contents
  std::vector<cached_revision_info> revisions{};  ///< sorted by commit
  std::chrono::system_clock::time_point last_accessed{};
  std::chrono::system_clock::time_point last_modified{};
  /// False if a ref could not be understood: then no revision is known to be without ref, and
  /// `prune` takes none.
  bool refs_known = true;

  /// "model/owner/name"
  std::string cache_id() const;
};

/// What an interrupted operation left in the cache (`CachedIncompleteFileInfo` in Python).
struct cached_incomplete_file_info {
  enum class kind {
    download,  ///< `*.incomplete` of the Python client and others: of no use to anybody any more
    partial,   ///< a download of this library, which the next attempt continues, or its journal
    temporary  ///< a file or folder on its way in or out
  };

  std::filesystem::path file_path{};
  std::uint64_t size_on_disk = 0;  ///< in bytes; of a partial, what has arrived
  kind what = kind::download;
};

/// A blob that no snapshot links to: what a killed deletion or download left.
struct cached_blob_info {
  std::filesystem::path blob_path{};
  std::uint64_t size_on_disk = 0;
};

/// Something in the cache that is not as it should be.
struct cache_warning {
  std::filesystem::path path{};
  std::string message{};
  /// The folder is no repository; else only what is at `path` was left out.
  bool repo_ignored = false;
};

/// What `client::execute` is to delete: data, to be looked at first. All paths lie below
/// `cache_dir`.
struct delete_cache_strategy {
  std::filesystem::path cache_dir{};
  std::uint64_t expected_freed_size = 0;           ///< in bytes
  std::vector<std::filesystem::path> repos{};      ///< whole folders of repositories
  std::vector<std::filesystem::path> snapshots{};  ///< folders of revisions
  std::vector<std::filesystem::path> refs{};       ///< files
  std::vector<std::filesystem::path> blobs{};      ///< files that no other revision uses
  std::vector<std::filesystem::path> incomplete_files{};
  std::vector<std::string> not_found{};  ///< what was asked for and is not in the cache

  bool empty() const noexcept {
    return repos.empty() && snapshots.empty() && refs.empty() && blobs.empty() &&
           incomplete_files.empty();
  }
};

/// What `client::execute` did.
struct delete_cache_result {
  /// Something that was to go and is still there.
  struct kept {
    std::filesystem::path path{};
    std::string reason{};
    /// Another process has it, or a snapshot links to it again: nothing is wrong.
    bool in_use = false;
  };

  std::uint64_t freed_size = 0;  ///< in bytes
  std::size_t deleted = 0;       ///< entries of the strategy that are gone
  std::vector<kept> left{};
};

/// What is in a cache (`HFCacheInfo` in Python).
struct cache_info {
  std::filesystem::path cache_dir{};      ///< absolute, links followed
  std::uint64_t size_on_disk = 0;         ///< in bytes: of all repositories together
  std::vector<cached_repo_info> repos{};  ///< sorted by folder
  std::vector<cached_incomplete_file_info> incomplete_files{};
  std::vector<cached_blob_info> unlinked_blobs{};
  std::vector<cache_warning> warnings{};

  std::uint64_t incomplete_size_on_disk() const noexcept;

  /// Plans the deletion of revisions. Each is a commit ("81fd1d6e...", in every repository that has
  /// it), a whole repository ("model/owner/name"), or both joined ("model/owner/name@81fd1d6e...").
  /// Where all revisions of a repository go, its folder goes; a blob goes if no revision that stays
  /// uses it.
  /// @par Mirrors  HFCacheInfo.delete_revisions()
  delete_cache_strategy delete_revisions(const std::vector<std::string>& revisions) const;

  /// Plans the deletion of what nobody asks for by name: revisions without ref, incomplete files,
  /// and blobs that no snapshot links to.
  /// @par Mirrors  `hf cache prune`, which leaves such blobs
  delete_cache_strategy prune() const;
};

struct scan_cache_dir_options {
  std::filesystem::path cache_dir{};  ///< empty: the client's
};

struct verify_repo_checksums_options {
  repo_type type = repo_type::model;
  /// Empty: "main" as far as the cache knows it, else the only snapshot there is; of a local folder
  /// "main".
  std::string revision{};
  std::filesystem::path cache_dir{};   ///< empty: the client's
  std::filesystem::path local_dir{};   ///< not empty: a folder of files instead of the cache
  std::optional<std::string> token{};  ///< unset: the client's; "" sends none
  std::size_t max_workers = 4;         ///< files read at a time
};

/// A file whose content is not what the Hub has.
struct checksum_mismatch {
  std::string path{};       ///< in the repository
  std::string expected{};   ///< hex digits
  std::string actual{};     ///< hex digits; empty: it could not be read
  std::string algorithm{};  ///< "sha256" of a large file, "git-sha1" of any other
  std::string reason{};     ///< why it could not be read
};

/// How a folder compares to a revision (`FolderVerification` in Python).
struct folder_verification {
  std::string revision{};         ///< of the Hub, that was compared to
  std::size_t checked_count = 0;  ///< files on both sides
  std::vector<checksum_mismatch> mismatches{};
  std::vector<std::string> missing_paths{};  ///< on the Hub alone
  std::vector<std::string> extra_paths{};    ///< in the folder alone
  std::filesystem::path verified_path{};
};

/// "123.5M": a number of bytes in decimal steps, as the Python client prints sizes.
std::string format_size(std::uint64_t bytes);

}  // namespace cohub
