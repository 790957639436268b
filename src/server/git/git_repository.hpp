#pragma once

#include "cohub/repository.hpp"

#include "server/git/git_handle.hpp"
#include "server/git/pack_writer.hpp"
#include "server/wire/message.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::server {

/// Makes a bare repository whose branch `main` holds one commit with a .gitattributes. On disk when
/// it returns.
void create_git_repository(const std::filesystem::path& path, const std::string& author);

struct git_ref {
  std::string name{};    ///< "refs/heads/main"
  std::string commit{};  ///< that it leads to, through an annotated tag as well
};

struct git_commit_info {
  std::string id{};
  std::string title{};
  std::string message{};  ///< without the title
  std::string author{};
  std::int64_t time = 0;  ///< Unix seconds
};

/// One change of a commit, applied in order.
struct git_change {
  enum class kind { put, remove_file, remove_folder };
  kind what = kind::put;
  std::string path{};
  git_oid blob{};  ///< of `put`
};

/// One open repository. Blocking, of one thread at a time; several may be open at once.
class git_repository {
 public:
  explicit git_repository(const std::filesystem::path& path);

  /// The commit that a branch, tag, full ref or (shortened) commit id means.
  std::optional<std::string> resolve(const std::string& revision) const;
  /// The commit of exactly that ref.
  std::optional<std::string> ref_target(const std::string& name) const;
  std::vector<git_ref> refs() const;

  /// The commit before that one; nothing: it is the first.
  std::optional<std::string> first_parent(const std::string& commit) const;
  std::optional<git_commit_info> commit_info(const std::string& commit) const;
  /// History from `commit`, newest first: `limit` after the first `skip`, and how many there are in
  /// all.
  std::vector<git_commit_info> history(const std::string& commit, std::size_t skip,
                                       std::size_t limit, std::size_t& total) const;

  /// For each path the commit that changed it last, along first parents; beyond 1000 commits, or
  /// fewer where folders are very large, the oldest one looked at.
  std::map<std::string, git_commit_info> last_commits(const std::string& commit,
                                                      const std::vector<std::string>& paths) const;

  /// A file or folder of a commit; the empty path is the root.
  std::optional<tree_entry> find(const std::string& commit, const std::string& path) const;
  /// Content of the blob of that id.
  shared_bytes read_blob(const std::string& blob) const;
  /// Content of a small file of a commit; nothing if it is not there or larger than `limit`.
  std::optional<std::string> read_small(const std::string& commit, const std::string& path,
                                        std::uint64_t limit) const;
  /// The entries below `folder`, from the one behind `after` on, until `take` says false: in git's
  /// order, but folders first where it is not recursive.
  /// @throws failure  404 EntryNotFound: no such folder
  void list(const std::string& commit, const std::string& folder, bool recursive,
            const std::string& after, const std::function<bool(tree_entry)>& take) const;
  /// The paths of all files of a commit in git's order, without looking at the files.
  std::vector<std::string> file_names(const std::string& commit) const;
  /// Whether a file of the commit has a name that ends so.
  bool has_file_ending(const std::string& commit, std::string_view ending) const;

  git_oid write_blob(std::string_view content);
  /// Writes the commit that `changes` make of `parent`, and waits until all that was written
  /// through this object is on disk. No ref is touched.
  /// @throws failure  404 EntryNotFound: something to delete is not there; 422: a file in a
  /// folder's place
  std::string write_commit(const std::string& parent, const std::vector<git_change>& changes,
                           const std::string& message, const std::string& author);

  /// Writes the commit that merges `theirs` into `ours`, both of which are its parents; nothing
  /// where they conflict, or have no history in common. On disk when it returns; no ref is touched.
  /// @throws failure  422: the files of one side have names that cannot be merged
  std::optional<std::string> write_merge(const std::string& ours, const std::string& theirs,
                                         const std::string& message, const std::string& author);
  /// Writes a commit that has neither files nor history.
  std::string write_root(const std::string& message, const std::string& author);
  /// Writes a commit of the same tree that has no history.
  std::string write_squash(const std::string& commit, const std::string& message,
                           const std::string& author);

  /// Points a ref at a commit, all at once, on disk when it returns. Only under the repository's
  /// lock.
  /// @throws failure  400 not a name; 409 a part of its name is a ref already
  void set_ref(const std::string& name, const std::string& commit,
               const std::filesystem::path& temporary);
  bool delete_ref(const std::string& name);
  static bool is_ref_name(const std::string& name);

 private:
  tree_entry describe(std::string path, const git_tree_entry* entry) const;
  git_tree_ptr tree_of(const std::string& commit) const;
  void list_tree(const git_tree* tree, const std::string& prefix, bool recursive,
                 std::string_view after, const std::function<bool(tree_entry)>& take,
                 bool& more) const;
  std::string write_commit_of(const git_oid& tree, const std::vector<std::string>& parents,
                              const std::string& message, const std::string& author);
  git_oid write_object(git_object_t type, std::string_view content);
  void finish_pack();
  /// Waits until the folders above a ref are on disk.
  void sync_way_to(const std::filesystem::path& ref);
  void sync_written();

  std::filesystem::path path_;
  git_repository_ptr repository_;
  git_odb_ptr objects_;
  git_odb_ptr loose_;  // the same without packs, which need not be searched for what is new
  std::vector<git_oid> written_;
  std::unique_ptr<pack_writer> pack_;  // of what `written_` does not name
  bool sync_all_ = false;              // more was written than `written_` names
};

}  // namespace cohub::server
