#include "server/git/git_rewrite.hpp"

#include "server/git/file_system.hpp"
#include "server/git/git_handle.hpp"
#include "server/git/lfs_pointer.hpp"

#include <map>
#include <optional>
#include <utility>

namespace cohub::server {

namespace {

using git_tag_ptr = git_owner<git_tag, git_tag_free>;
using git_treebuilder_ptr = git_owner<git_treebuilder, git_treebuilder_free>;

/// One rewriting: what it has seen is kept, so that each tree and file is looked at once.
class rewriting {
 public:
  rewriting(::git_repository* repository, const std::set<std::string>& doomed)
      : repository_(repository), doomed_(doomed) {
    git_odb* raw = nullptr;
    git_check(git_repository_odb(&raw, repository), "opening a repository's objects");
    objects_.reset(raw);
  }

  /// Rewrites all history, parents first.
  void run() {
    git_revwalk* raw = nullptr;
    git_check(git_revwalk_new(&raw, repository_), "walking the history");
    const git_revwalk_ptr walk(raw);
    git_revwalk_sorting(raw, GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE);
    git_check(git_revwalk_push_glob(raw, "refs/*"), "walking the history");
    git_oid id{};
    while (git_revwalk_next(&id, raw) == 0) rewrite_commit(id);
  }

  /// What the ref is to lead to; nothing: where it leads now.
  std::optional<std::string> target_of(const char* name) {
    git_reference* raw = nullptr;
    if (git_reference_lookup(&raw, repository_, name) < 0) return std::nullopt;
    const git_reference_ptr reference(raw);
    git_object* peeled = nullptr;
    if (git_reference_peel(&peeled, raw, GIT_OBJECT_COMMIT) < 0) return std::nullopt;
    const git_object_ptr commit(peeled);
    const auto found = commits_.find(to_hex(*git_object_id(peeled)));
    if (found == commits_.end()) return std::nullopt;
    const git_oid* direct = git_reference_target(raw);
    git_tag* tag = nullptr;
    if (direct == nullptr || git_tag_lookup(&tag, repository_, direct) < 0)
      return to_hex(found->second);
    const git_tag_ptr owner(tag);
    return annotate(tag, found->second);
  }

 private:
  std::string annotate(const git_tag* tag, const git_oid& commit) {
    git_object* raw = nullptr;
    git_check(git_object_lookup(&raw, repository_, &commit, GIT_OBJECT_COMMIT), "reading a commit");
    const git_object_ptr target(raw);
    git_oid id{};
    git_check(git_tag_annotation_create(&id, repository_, git_tag_name(tag), raw,
                                        git_tag_tagger(tag), git_tag_message(tag)),
              "writing a tag");
    return to_hex(id);
  }

  void rewrite_commit(const git_oid& id) {
    git_commit* raw = nullptr;
    git_check(git_commit_lookup(&raw, repository_, &id), "reading a commit");
    const git_commit_ptr commit(raw);
    bool changed = false;
    std::vector<git_commit_ptr> owners;
    std::vector<const git_commit*> parents;
    for (unsigned i = 0; i < git_commit_parentcount(raw); ++i) {
      git_oid parent = *git_commit_parent_id(raw, i);
      if (const auto found = commits_.find(to_hex(parent)); found != commits_.end()) {
        parent = found->second;
        changed = true;
      }
      git_commit* opened = nullptr;
      git_check(git_commit_lookup(&opened, repository_, &parent), "reading a commit");
      owners.emplace_back(opened);
      parents.push_back(opened);
    }
    const git_oid before = *git_commit_tree_id(raw);
    const git_oid after = rewrite_tree(before).value_or(empty_tree());
    if (!changed && git_oid_equal(&before, &after) != 0) return;
    git_tree* tree = nullptr;
    git_check(git_tree_lookup(&tree, repository_, &after), "reading the new tree");
    const git_tree_ptr tree_owner(tree);
    git_oid made{};
    git_check(git_commit_create(&made, repository_, nullptr, git_commit_author(raw),
                                git_commit_committer(raw), git_commit_message_encoding(raw),
                                git_commit_message_raw(raw), tree, parents.size(), parents.data()),
              "writing a commit");
    commits_.emplace(to_hex(id), made);
  }

  git_oid empty_tree() {
    git_treebuilder* raw = nullptr;
    git_check(git_treebuilder_new(&raw, repository_, nullptr), "writing a tree");
    const git_treebuilder_ptr builder(raw);
    git_oid id{};
    git_check(git_treebuilder_write(&id, raw), "writing a tree");
    return id;
  }

  /// Nothing: no file is left in it.
  std::optional<git_oid> rewrite_tree(const git_oid& id) {
    const std::string name = to_hex(id);
    if (const auto found = trees_.find(name); found != trees_.end()) return found->second;
    git_tree* raw = nullptr;
    git_check(git_tree_lookup(&raw, repository_, &id), "reading a folder");
    const git_tree_ptr tree(raw);
    git_treebuilder* building = nullptr;
    git_check(git_treebuilder_new(&building, repository_, raw), "writing a tree");
    const git_treebuilder_ptr builder(building);
    bool changed = false;
    for (std::size_t i = 0; i < git_tree_entrycount(raw); ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(raw, i);
      const git_oid before = *git_tree_entry_id(entry);
      const bool folder = git_tree_entry_type(entry) == GIT_OBJECT_TREE;
      std::optional<git_oid> after = before;
      if (folder)
        after = rewrite_tree(before);
      else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB && is_doomed(before))
        after.reset();
      if (after && git_oid_equal(&before, &*after) != 0) continue;
      changed = true;
      if (after)
        git_check(git_treebuilder_insert(nullptr, building, git_tree_entry_name(entry), &*after,
                                         git_tree_entry_filemode(entry)),
                  "writing a tree");
      else
        git_check(git_treebuilder_remove(building, git_tree_entry_name(entry)), "writing a tree");
    }
    std::optional<git_oid> result = id;
    if (changed && git_treebuilder_entrycount(building) == 0) {
      result.reset();
    } else if (changed) {
      git_oid written{};
      git_check(git_treebuilder_write(&written, building), "writing a tree");
      result = written;
    }
    trees_.emplace(name, result);
    return result;
  }

  bool is_doomed(const git_oid& blob) {
    const std::string name = to_hex(blob);
    if (const auto found = blobs_.find(name); found != blobs_.end()) return found->second;
    const auto pointer = find_lfs_pointer(objects_.get(), blob);
    const bool doomed = pointer && doomed_.contains(pointer->sha256);
    blobs_.emplace(name, doomed);
    return doomed;
  }

  ::git_repository* repository_;
  const std::set<std::string>& doomed_;
  git_odb_ptr objects_;
  std::map<std::string, git_oid> commits_;  // those that are written anew
  std::map<std::string, std::optional<git_oid>> trees_;
  std::map<std::string, bool> blobs_;
};

}  // namespace

std::string write_tag(const std::filesystem::path& repository, const std::string& name,
                      const std::string& commit, const std::string& message,
                      const std::string& author) {
  const auto owner = open_git(repository);
  const git_oid target = to_oid(commit);
  git_object* raw = nullptr;
  git_check(git_object_lookup(&raw, owner.get(), &target, GIT_OBJECT_COMMIT), "reading a commit");
  const git_object_ptr object(raw);
  git_signature* signature = nullptr;
  const std::string mail = author + "@localhost";
  git_check(git_signature_now(&signature, author.c_str(), mail.c_str()), "signing a tag");
  const git_signature_ptr signature_owner(signature);
  git_oid id{};
  git_check(
      git_tag_annotation_create(&id, owner.get(), name.c_str(), raw, signature, message.c_str()),
      "writing a tag");
  sync_file_system_of(repository / "objects");
  return to_hex(id);
}

std::vector<git_ref> rewrite_without(const std::filesystem::path& repository,
                                     const std::set<std::string>& sha256s) {
  const auto owner = open_git(repository);
  rewriting work(owner.get(), sha256s);
  work.run();
  git_reference_iterator* raw = nullptr;
  git_check(git_reference_iterator_new(&raw, owner.get()), "listing refs");
  const git_reference_iterator_ptr iterator(raw);
  std::vector<git_ref> moved;
  const char* name = nullptr;
  while (git_reference_next_name(&name, raw) == 0)
    if (auto target = work.target_of(name)) moved.push_back({name, std::move(*target)});
  if (!moved.empty()) sync_file_system_of(repository / "objects");
  return moved;
}

}  // namespace cohub::server
