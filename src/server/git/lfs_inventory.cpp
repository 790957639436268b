#include "server/git/lfs_inventory.hpp"

#include "hub/utf8.hpp"
#include "server/git/git_handle.hpp"
#include "server/git/lfs_pointer.hpp"

#include <set>
#include <utility>

namespace cohub::server {

namespace {

class inventory {
 public:
  explicit inventory(::git_repository* repository) : repository_(repository) {
    git_odb* raw = nullptr;
    git_check(git_repository_odb(&raw, repository), "opening a repository's objects");
    objects_.reset(raw);
  }

  void look_at_heads() {
    git_reference_iterator* raw = nullptr;
    git_check(git_reference_iterator_new(&raw, repository_), "listing refs");
    const git_reference_iterator_ptr iterator(raw);
    const char* name = nullptr;
    while (git_reference_next_name(&name, raw) == 0) {
      git_reference* opened = nullptr;
      if (git_reference_lookup(&opened, repository_, name) < 0) continue;
      const git_reference_ptr reference(opened);
      git_object* peeled = nullptr;
      if (git_reference_peel(&peeled, opened, GIT_OBJECT_COMMIT) < 0) continue;
      const git_object_ptr commit(peeled);
      look_at(*git_object_id(peeled), name);
    }
  }

  void look_at_history() {
    git_revwalk* raw = nullptr;
    git_check(git_revwalk_new(&raw, repository_), "walking the history");
    const git_revwalk_ptr walk(raw);
    git_check(git_revwalk_push_glob(raw, "refs/*"), "walking the history");
    git_oid id{};
    while (git_revwalk_next(&id, raw) == 0) look_at(id, {});
  }

  std::map<std::string, lfs_mention> found() { return std::move(found_); }

 private:
  void look_at(const git_oid& id, const std::string& ref) {
    git_commit* raw = nullptr;
    git_check(git_commit_lookup(&raw, repository_, &id), "reading a commit");
    const git_commit_ptr commit(raw);
    look_into(*git_commit_tree_id(raw), {}, ref);
  }

  void look_into(const git_oid& id, const std::string& prefix, const std::string& ref) {
    if (!seen_.insert(to_hex(id)).second) return;
    git_tree* raw = nullptr;
    git_check(git_tree_lookup(&raw, repository_, &id), "reading a folder");
    const git_tree_ptr tree(raw);
    for (std::size_t i = 0; i < git_tree_entrycount(raw); ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(raw, i);
      const git_oid& which = *git_tree_entry_id(entry);
      const std::string path = prefix + git_tree_entry_name(entry);
      if (git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
        look_into(which, path + '/', ref);
      } else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB &&
                 seen_.insert(to_hex(which)).second) {
        if (const auto pointer = find_lfs_pointer(objects_.get(), which))
          found_.try_emplace(pointer->sha256, lfs_mention{hub::as_utf8(path), ref, pointer->size});
      }
    }
  }

  ::git_repository* repository_;
  git_odb_ptr objects_;
  std::set<std::string> seen_;  // trees and files
  std::map<std::string, lfs_mention> found_;
};

}  // namespace

std::map<std::string, lfs_mention> find_lfs_mentions(const std::filesystem::path& repository) {
  const auto owner = open_git(repository);
  inventory all(owner.get());
  all.look_at_heads();
  all.look_at_history();
  return all.found();
}

}  // namespace cohub::server
