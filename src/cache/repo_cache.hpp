#pragma once

#include "cohub/download.hpp"

#include "cache/layout.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cohub::cache {

using cohub::cached_file;

/// Whether links can be made in a snapshot.
enum class link_support {
  probe,  ///< try, and fall back to regular files where the file system refuses
  never   ///< `HF_HUB_DISABLE_SYMLINKS`
};

/// Whether a blob that is to be linked was downloaded just now: without links a new blob is moved
/// into the snapshot, one that other snapshots use is copied.
enum class blob_age { fresh, existing };

/// The files of one repository in the cache. All functions block: they belong on the pool.
///
/// Everything becomes visible by an atomic rename, so that readers (also other clients) never see a
/// part. Temporaries lie beside refs/ and snapshots/, not in them: every file in there counts.
class repo_cache {
 public:
  explicit repo_cache(repo_layout layout, link_support links = link_support::probe)
      : layout_(std::move(layout)), links_(links) {}

  const repo_layout& layout() const noexcept { return layout_; }

  /// Makes the folders of the repository, the folder of its locks, and CACHEDIR.TAG.
  void prepare() const;

  /// The commit that a ref names; nothing if there is no such ref or it holds something else.
  std::optional<std::string> read_ref(std::string_view revision) const;
  /// Points a ref to a commit; left alone if it does already or if `revision` is the commit itself.
  void write_ref(std::string_view revision, std::string_view commit) const;
  /// The commit of a revision as far as the cache knows: the revision itself if it is one.
  std::optional<std::string> resolve(std::string_view revision) const;

  /// The file of a snapshot; a link to nothing counts as absent.
  std::optional<std::filesystem::path> find_file(std::string_view commit,
                                                 std::string_view path) const;
  /// The same, of this size in bytes: one that is damaged is none.
  std::optional<std::filesystem::path> find_file(std::string_view commit, std::string_view path,
                                                 std::uint64_t size) const;
  /// Looks a file up as Python's `try_to_load_from_cache` does.
  cached_file try_to_load(std::string_view revision, std::string_view path) const;
  /// Remembers that a commit has no such file.
  void mark_no_exist(std::string_view commit, std::string_view path) const;

  /// Of this size, in bytes: one that is damaged is none.
  /// @throws error  errc::content_mismatch: by an etag that is no checksum the cache has another
  ///                content
  bool has_blob(std::string_view etag, std::uint64_t size) const;
  /// Puts a blob into a snapshot and yields its path there. What leads to the same blob is left
  /// alone; a regular file is replaced only by a fresh blob.
  std::filesystem::path link_blob(std::string_view commit, std::string_view path,
                                  std::string_view etag, blob_age age) const;
  /// The same for an existing blob; nothing where there are no links and the blob is larger than
  /// `copy_limit` bytes: then the caller copies it, in pieces.
  std::optional<std::filesystem::path> try_link_blob(std::string_view commit, std::string_view path,
                                                     std::string_view etag,
                                                     std::uint64_t copy_limit) const;
  /// A name for a temporary copy of a blob, on the file system of the snapshots.
  std::filesystem::path temporary_name() const;

 private:
  std::optional<std::filesystem::path> link(std::string_view commit, std::string_view path,
                                            std::string_view etag, blob_age age,
                                            std::uint64_t copy_limit) const;
  void place_without_link(const std::filesystem::path& blob, const std::filesystem::path& pointer,
                          blob_age age) const;

  repo_layout layout_;
  link_support links_;
};

/// Writes CACHEDIR.TAG into `folder` if there is none; a failure is of no consequence.
void write_cachedir_tag(const std::filesystem::path& folder);

}  // namespace cohub::cache
