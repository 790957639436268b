#include "server/git/git_repository.hpp"

#include "cohub/error.hpp"

#include "core/hex.hpp"
#include "hub/repo_id.hpp"
#include "hub/utf8.hpp"
#include "io/file.hpp"
#include "server/failure.hpp"
#include "server/git/git_path_history.hpp"
#include "server/git/git_rename.hpp"
#include "server/git/git_tree_edit.hpp"
#include "server/git/lfs_pointer.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace cohub::server {

namespace {

/// How far back the commit that touched a file last is looked for.
constexpr std::size_t history_search = 1000;
/// Objects of a commit that become files of their own; what goes beyond shares a pack. Many packs
/// make looking things up slow, many files make writing them slow.
constexpr std::size_t loose_limit = 16;

failure no_entry(const std::string& what) { return {404, "EntryNotFound", what}; }

git_signature_ptr signature_of(const std::string& name) {
  git_signature* raw = nullptr;
  const std::string mail = name + "@localhost";
  git_check(git_signature_now(&raw, name.c_str(), mail.c_str()), "signing a commit");
  return git_signature_ptr(raw);
}

/// A plain git may have pushed names that libgit2 does not write.
void check_merge(int code) {
  if (code >= 0) return;
  const auto* problem = git_error_last();
  if (problem != nullptr && (problem->klass == GIT_ERROR_INDEX || problem->klass == GIT_ERROR_TREE))
    throw unprocessable(std::string("The commits cannot be merged: ") + problem->message);
  throw git_failure("merging");
}

bool may_be_short_id(const std::string& text) {
  return text.size() >= 7 && text.size() < 40 &&
         text.find_first_not_of("0123456789abcdef") == text.npos;
}

git_commit_info describe_commit(const git_commit* commit) {
  git_commit_info info;
  info.id = to_hex(*git_commit_id(commit));
  // Git takes any bytes for a message or a name; answers are UTF-8.
  const auto message = hub::as_utf8(git_commit_message(commit));
  const auto end = message.find('\n');
  info.title = message.substr(0, end);
  if (end != message.npos) {
    const auto start = message.find_first_not_of('\n', end);
    if (start != message.npos) info.message = message.substr(start);
  }
  info.author = hub::as_utf8(git_commit_author(commit)->name);
  info.time = git_commit_time(commit);
  return info;
}

}  // namespace

git_repository::git_repository(const std::filesystem::path& path) : path_(path) {
  ::git_repository* raw = nullptr;
  const int code = git_repository_open_bare(&raw, path.c_str());
  if (code == GIT_ENOTFOUND) throw failure(404, "RepoNotFound", "Repository not found");
  git_check(code, "opening a repository");
  repository_.reset(raw);
  git_odb* odb = nullptr;
  git_check(git_repository_odb(&odb, raw), "opening a repository's objects");
  objects_.reset(odb);
  git_odb* loose = nullptr;
  git_check(git_odb_new(&loose), "opening the objects");
  loose_.reset(loose);
  git_odb_backend* backend = nullptr;
  constexpr int fastest = 1;
  git_check(git_odb_backend_loose(&backend, (path / "objects").c_str(), fastest, 0, 0, 0),
            "opening the objects");
  git_check(git_odb_add_backend(loose, backend, 1), "opening the objects");
}

std::optional<std::string> git_repository::ref_target(const std::string& name) const {
  git_reference* raw = nullptr;
  if (git_reference_lookup(&raw, repository_.get(), name.c_str()) < 0) return std::nullopt;
  const git_reference_ptr reference(raw);
  git_object* peeled = nullptr;
  if (git_reference_peel(&peeled, raw, GIT_OBJECT_COMMIT) < 0) return std::nullopt;
  const git_object_ptr object(peeled);
  return to_hex(*git_object_id(peeled));
}

std::optional<std::string> git_repository::resolve(const std::string& revision) const {
  if (revision.starts_with("refs/")) {
    for (const char* allowed : {"refs/heads/", "refs/tags/", "refs/pr/", "refs/convert/"})
      if (revision.starts_with(allowed)) return ref_target(revision);
    return std::nullopt;
  }
  if (revision == "HEAD") return ref_target("refs/heads/main");
  if (hub::is_commit_id(revision)) {
    if (commit_info(revision)) return revision;
  }
  if (auto branch = ref_target("refs/heads/" + revision)) return branch;
  if (auto tag = ref_target("refs/tags/" + revision)) return tag;
  if (may_be_short_id(revision)) {
    git_oid id{};
    git_commit* raw = nullptr;
    if (git_oid_fromstrn(&id, revision.c_str(), revision.size()) == 0 &&
        git_commit_lookup_prefix(&raw, repository_.get(), &id, revision.size()) == 0) {
      const git_commit_ptr commit(raw);
      return to_hex(*git_commit_id(raw));
    }
  }
  return std::nullopt;
}

std::vector<git_ref> git_repository::refs() const {
  git_reference_iterator* raw = nullptr;
  git_check(git_reference_iterator_new(&raw, repository_.get()), "listing refs");
  const git_reference_iterator_ptr iterator(raw);
  std::vector<git_ref> all;
  const char* name = nullptr;
  while (git_reference_next_name(&name, raw) == 0) {
    if (hub::find_invalid_utf8(name)) continue;  // no request can name it
    if (auto commit = ref_target(name)) all.push_back({name, std::move(*commit)});
  }
  std::sort(all.begin(), all.end(),
            [](const git_ref& a, const git_ref& b) { return a.name < b.name; });
  return all;
}

std::optional<git_commit_info> git_repository::commit_info(const std::string& commit) const {
  git_commit* raw = nullptr;
  const git_oid id = to_oid(commit);
  if (git_commit_lookup(&raw, repository_.get(), &id) < 0) return std::nullopt;
  const git_commit_ptr owner(raw);
  return describe_commit(raw);
}

std::optional<std::string> git_repository::first_parent(const std::string& commit) const {
  git_commit* raw = nullptr;
  const git_oid id = to_oid(commit);
  if (git_commit_lookup(&raw, repository_.get(), &id) < 0) return std::nullopt;
  const git_commit_ptr owner(raw);
  if (git_commit_parentcount(raw) == 0) return std::nullopt;
  return to_hex(*git_commit_parent_id(raw, 0));
}

std::vector<git_commit_info> git_repository::history(const std::string& commit, std::size_t skip,
                                                     std::size_t limit, std::size_t& total) const {
  git_revwalk* raw = nullptr;
  git_check(git_revwalk_new(&raw, repository_.get()), "walking the history");
  const git_revwalk_ptr walk(raw);
  git_revwalk_sorting(raw, GIT_SORT_TOPOLOGICAL | GIT_SORT_TIME);
  git_oid id = to_oid(commit);
  git_check(git_revwalk_push(raw, &id), "walking the history");
  std::vector<git_commit_info> found;
  for (total = 0; git_revwalk_next(&id, raw) == 0; ++total) {
    if (total < skip || found.size() >= limit) continue;
    if (auto info = commit_info(to_hex(id))) found.push_back(std::move(*info));
  }
  return found;
}

std::map<std::string, git_commit_info> git_repository::last_commits(
    const std::string& commit, const std::vector<std::string>& paths) const {
  std::map<std::string, git_commit_info> found;
  git_path_history open(repository_.get(), paths);
  std::string at = commit;
  for (std::size_t steps = 1; !open.empty(); ++steps) {
    git_commit* raw = nullptr;
    const git_oid id = to_oid(at);
    git_check(git_commit_lookup(&raw, repository_.get(), &id), "reading a commit");
    const git_commit_ptr here(raw);
    const auto info = describe_commit(raw);
    const bool last = git_commit_parentcount(raw) == 0 || steps == history_search || open.is_dear();
    if (steps == 1) open.begin(tree_of(at));
    if (!last) at = to_hex(*git_commit_parent_id(raw, 0));
    for (auto& path : last ? open.rest() : open.go_back(tree_of(at))) found[std::move(path)] = info;
  }
  return found;
}

git_tree_ptr git_repository::tree_of(const std::string& commit) const {
  const git_oid id = to_oid(commit);
  git_commit* raw = nullptr;
  git_check(git_commit_lookup(&raw, repository_.get(), &id), "reading a commit");
  const git_commit_ptr owner(raw);
  git_tree* tree = nullptr;
  git_check(git_commit_tree(&tree, raw), "reading a commit's tree");
  return git_tree_ptr(tree);
}

tree_entry git_repository::describe(std::string path, const git_tree_entry* entry) const {
  tree_entry result;
  result.path = std::move(path);
  result.oid = to_hex(*git_tree_entry_id(entry));
  if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB) {
    result.type = tree_entry::kind::directory;
    return result;
  }
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  git_check(git_odb_read_header(&size, &type, objects_.get(), git_tree_entry_id(entry)),
            "reading a file's size");
  result.size = size;
  if (size > lfs_pointer_limit) return result;
  const auto blob = read_blob(result.oid);
  if (const auto pointer = read_lfs_pointer(blob.bytes)) {
    result.lfs = lfs_info{pointer->sha256, pointer->size, size};
    result.size = pointer->size;
  }
  return result;
}

std::optional<tree_entry> git_repository::find(const std::string& commit,
                                               const std::string& path) const {
  const auto tree = tree_of(commit);
  if (path.empty()) {
    tree_entry root;
    root.type = tree_entry::kind::directory;
    root.oid = to_hex(*git_tree_id(tree.get()));
    return root;
  }
  git_tree_entry* raw = nullptr;
  if (git_tree_entry_bypath(&raw, tree.get(), path.c_str()) < 0) return std::nullopt;
  const git_tree_entry_ptr entry(raw);
  return describe(path, raw);
}

shared_bytes git_repository::read_blob(const std::string& blob) const {
  const git_oid id = to_oid(blob);
  git_odb_object* raw = nullptr;
  git_check(git_odb_read(&raw, objects_.get(), &id), "reading a file");
  std::shared_ptr<git_odb_object> owner(raw, git_odb_object_free);
  return {owner, {static_cast<const char*>(git_odb_object_data(raw)), git_odb_object_size(raw)}};
}

std::optional<std::string> git_repository::read_small(const std::string& commit,
                                                      const std::string& path,
                                                      std::uint64_t limit) const {
  const auto entry = find(commit, path);
  if (!entry || entry->type != tree_entry::kind::file || entry->lfs || entry->size > limit)
    return std::nullopt;
  return std::string(read_blob(entry->oid).bytes);
}

void git_repository::list_tree(const git_tree* tree, const std::string& prefix, bool recursive,
                               std::string_view after, const std::function<bool(tree_entry)>& take,
                               bool& more) const {
  const auto slash = after.find('/');
  const std::string_view skip_to = after.substr(0, slash);
  const std::string_view inside =
      slash == after.npos ? std::string_view() : after.substr(slash + 1);
  bool skipping = !after.empty();
  std::vector<const git_tree_entry*> entries(git_tree_entrycount(tree));
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = git_tree_entry_byindex(tree, i);
  if (!recursive)
    std::stable_partition(entries.begin(), entries.end(), [](const git_tree_entry* entry) {
      return git_tree_entry_type(entry) == GIT_OBJECT_TREE;
    });
  for (const auto* entry : entries) {
    if (!more) break;
    const std::string name = git_tree_entry_name(entry);
    if (hub::find_invalid_utf8(name)) continue;  // no request can name it
    const bool is_mark = skipping && name == skip_to;
    if (skipping && !is_mark) continue;
    skipping = false;
    if (!is_mark) more = take(describe(prefix + name, entry));
    if (!more || !recursive || git_tree_entry_type(entry) != GIT_OBJECT_TREE) continue;
    git_tree* raw = nullptr;
    git_check(git_tree_lookup(&raw, repository_.get(), git_tree_entry_id(entry)),
              "reading a folder");
    const git_tree_ptr below(raw);
    list_tree(raw, prefix + name + '/', recursive, is_mark ? inside : std::string_view(), take,
              more);
  }
}

void git_repository::list(const std::string& commit, const std::string& folder, bool recursive,
                          const std::string& after,
                          const std::function<bool(tree_entry)>& take) const {
  auto tree = tree_of(commit);
  std::string prefix;
  std::string_view mark = after;
  if (!folder.empty()) {
    git_tree_entry* raw = nullptr;
    if (git_tree_entry_bypath(&raw, tree.get(), folder.c_str()) < 0)
      throw no_entry(folder + " does not exist on this revision");
    const git_tree_entry_ptr entry(raw);
    if (git_tree_entry_type(raw) != GIT_OBJECT_TREE)
      throw no_entry(folder + " is not a folder on this revision");
    git_tree* below = nullptr;
    git_check(git_tree_lookup(&below, repository_.get(), git_tree_entry_id(raw)),
              "reading a folder");
    tree.reset(below);
    prefix = folder + '/';
    if (mark.starts_with(prefix)) mark.remove_prefix(prefix.size());
  }
  bool more = true;
  list_tree(tree.get(), prefix, recursive, mark, take, more);
}

std::vector<std::string> git_repository::file_names(const std::string& commit) const {
  std::vector<std::string> names;
  const auto note = [](const char* folder, const git_tree_entry* entry, void* to) {
    if (hub::find_invalid_utf8(git_tree_entry_name(entry))) return 1;  // nor what is in it
    if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB)
      static_cast<std::vector<std::string>*>(to)->push_back(std::string(folder) +
                                                            git_tree_entry_name(entry));
    return 0;
  };
  git_check(git_tree_walk(tree_of(commit).get(), GIT_TREEWALK_PRE, note, &names),
            "listing the files");
  return names;
}

bool git_repository::has_file_ending(const std::string& commit, std::string_view ending) const {
  struct search {
    std::string_view ending;
    bool found = false;
  } looks{ending};
  const auto look = [](const char*, const git_tree_entry* entry, void* to) {
    auto& by = *static_cast<search*>(to);
    const std::string_view name = git_tree_entry_name(entry);
    by.found = git_tree_entry_type(entry) == GIT_OBJECT_BLOB && name.ends_with(by.ending);
    return by.found ? static_cast<int>(GIT_EUSER) : 0;
  };
  const int code = git_tree_walk(tree_of(commit).get(), GIT_TREEWALK_PRE, look, &looks);
  if (!looks.found) git_check(code, "looking for a file");
  return looks.found;
}

git_oid git_repository::write_object(git_object_t type, std::string_view content) {
  if (written_.size() >= loose_limit) {
    if (!pack_) pack_ = std::make_unique<pack_writer>(path_ / "objects" / "pack");
    return pack_->add(type, content);
  }
  git_oid id{};
  git_check(git_odb_write(&id, loose_.get(), content.data(), content.size(), type),
            "writing an object");
  written_.push_back(id);
  return id;
}

git_oid git_repository::write_blob(std::string_view content) {
  return write_object(GIT_OBJECT_BLOB, content);
}

void git_repository::finish_pack() {
  if (!pack_) return;
  pack_->finish();
  pack_.reset();
  git_check(git_odb_refresh(objects_.get()), "reading the packs");
}

std::string git_repository::write_commit(const std::string& parent,
                                         const std::vector<git_change>& changes,
                                         const std::string& message, const std::string& author) {
  const auto base = tree_of(parent);
  git_tree_edit edit(repository_.get(), *git_tree_id(base.get()));
  for (const auto& change : changes) {
    switch (change.what) {
      case git_change::kind::put:
        edit.put(change.path, change.blob);
        break;
      case git_change::kind::remove_file:
        // Clients may name a folder without a '/' behind it.
        if (!edit.remove_file(change.path) && !edit.remove_folder(change.path))
          throw no_entry("A file with this name doesn't exist: " + change.path);
        break;
      case git_change::kind::remove_folder:
        if (!edit.remove_folder(change.path))
          throw no_entry("A folder with this name doesn't exist: " + change.path);
        break;
    }
  }
  const git_oid tree_id =
      edit.write([this](std::string_view tree) { return write_object(GIT_OBJECT_TREE, tree); });
  finish_pack();
  return write_commit_of(tree_id, {parent}, message, author);
}

std::string git_repository::write_commit_of(const git_oid& tree_id,
                                            const std::vector<std::string>& parents,
                                            const std::string& message, const std::string& author) {
  git_tree* tree = nullptr;
  git_check(git_tree_lookup(&tree, repository_.get(), &tree_id), "reading the new tree");
  const git_tree_ptr tree_owner(tree);
  std::vector<git_commit_ptr> owners;
  std::vector<const git_commit*> commits;
  for (const auto& parent : parents) {
    const git_oid parent_id = to_oid(parent);
    git_commit* raw = nullptr;
    git_check(git_commit_lookup(&raw, repository_.get(), &parent_id), "reading a commit");
    owners.emplace_back(raw);
    commits.push_back(raw);
  }
  const auto signature = signature_of(author);
  git_oid id{};
  git_check(git_commit_create(&id, repository_.get(), nullptr, signature.get(), signature.get(),
                              nullptr, message.c_str(), tree, commits.size(), commits.data()),
            "writing a commit");
  written_.push_back(id);
  sync_written();
  return to_hex(id);
}

std::optional<std::string> git_repository::write_merge(const std::string& ours,
                                                       const std::string& theirs,
                                                       const std::string& message,
                                                       const std::string& author) {
  const git_oid our_id = to_oid(ours);
  const git_oid their_id = to_oid(theirs);
  git_commit* raw = nullptr;
  git_check(git_commit_lookup(&raw, repository_.get(), &our_id), "reading a commit");
  const git_commit_ptr our_commit(raw);
  git_check(git_commit_lookup(&raw, repository_.get(), &their_id), "reading a commit");
  const git_commit_ptr their_commit(raw);
  // Without a history in common, all that was ever deleted would count as added by the other side.
  git_oid base{};
  const int related = git_merge_base(&base, repository_.get(), &our_id, &their_id);
  if (related == GIT_ENOTFOUND) return std::nullopt;
  git_check(related, "looking for a merge base");
  const auto options =
      merge_options_for(repository_.get(), base, our_commit.get(), their_commit.get());
  git_index* merged = nullptr;
  check_merge(git_merge_commits(&merged, repository_.get(), our_commit.get(), their_commit.get(),
                                &options));
  const git_index_ptr index(merged);
  if (git_index_has_conflicts(merged) != 0) return std::nullopt;
  git_oid tree{};
  check_merge(git_index_write_tree_to(&tree, merged, repository_.get()));
  // Which of its trees are new libgit2 does not say: all of them count.
  written_.push_back(tree);
  sync_all_ = true;
  return write_commit_of(tree, {ours, theirs}, message, author);
}

std::string git_repository::write_squash(const std::string& commit, const std::string& message,
                                         const std::string& author) {
  return write_commit_of(*git_tree_id(tree_of(commit).get()), {}, message, author);
}

std::string git_repository::write_root(const std::string& message, const std::string& author) {
  const git_oid nothing = write_object(GIT_OBJECT_TREE, {});
  finish_pack();
  return write_commit_of(nothing, {}, message, author);
}

bool git_repository::is_ref_name(const std::string& name) {
  int valid = 0;
  return git_reference_name_is_valid(&valid, name.c_str()) == 0 && valid == 1;
}

void git_repository::set_ref(const std::string& name, const std::string& commit,
                             const std::filesystem::path& temporary) {
  if (!is_ref_name(name)) throw bad_request("\"" + name + "\" is not a valid reference name");
  if (!ref_target(name)) {
    for (const auto& other : refs())
      if (name.starts_with(other.name + '/') || other.name.starts_with(name + '/'))
        throw failure(409, {}, "Reference " + name + " conflicts with " + other.name);
  }
  // The file is written here rather than by libgit2, which does not wait for the disk.
  const auto file = path_ / name;
  io::create_directories(file.parent_path());
  io::write_file_atomically(file, commit + '\n', io::durability::machine, temporary);
  sync_way_to(file);
}

void git_repository::sync_way_to(const std::filesystem::path& ref) {
  std::error_code code;
  for (auto folder = ref.parent_path(); folder != path_; folder = folder.parent_path())
    if (std::filesystem::exists(folder, code)) io::file(folder, io::file::mode::read).sync();
  // What `git pack-refs` wrote is changed when a ref of it is deleted.
  const auto packed = path_ / "packed-refs";
  if (!std::filesystem::exists(packed, code)) return;
  io::file(packed, io::file::mode::read).sync();
  io::file(path_, io::file::mode::read).sync();
}

bool git_repository::delete_ref(const std::string& name) {
  git_reference* raw = nullptr;
  if (git_reference_lookup(&raw, repository_.get(), name.c_str()) < 0) return false;
  const git_reference_ptr reference(raw);
  git_check(git_reference_delete(raw), "deleting a ref");
  sync_way_to(path_ / name);
  return true;
}

}  // namespace cohub::server
