#include "server/git/git_tree_edit.hpp"

#include "server/failure.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace cohub::server {

struct git_tree_edit::item {
  git_filemode_t mode = GIT_FILEMODE_BLOB;
  git_oid id{};
  std::unique_ptr<folder> content{};  // of a folder that was looked into
};

struct git_tree_edit::folder {
  git_oid id{};  // of the tree it was loaded from, or was last written as
  bool loaded = false;
  bool changed = false;
  std::map<std::string, item, std::less<>> items{};
};

git_tree_edit::git_tree_edit(::git_repository* repository, const git_oid& base)
    : repository_(repository), root_(std::make_unique<folder>()) {
  root_->id = base;
}

git_tree_edit::~git_tree_edit() = default;

void git_tree_edit::load(folder& which) const {
  if (which.loaded) return;
  git_tree* raw = nullptr;
  git_check(git_tree_lookup(&raw, repository_, &which.id), "reading a tree");
  const git_tree_ptr tree(raw);
  const std::size_t count = git_tree_entrycount(tree.get());
  for (std::size_t i = 0; i < count; ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
    item& made = which.items[git_tree_entry_name(entry)];
    made.mode = git_tree_entry_filemode(entry);
    made.id = *git_tree_entry_id(entry);
  }
  which.loaded = true;
}

/// Whether all files below were removed: git has no empty folders.
bool git_tree_edit::is_empty(const folder& which) {
  return which.loaded && std::all_of(which.items.begin(), which.items.end(), [](const auto& each) {
           return each.second.content != nullptr && is_empty(*each.second.content);
         });
}

/// The folder at `path`; null if it is not there and not to be made.
git_tree_edit::folder* git_tree_edit::find(std::string_view path, bool create) {
  folder* at = root_.get();
  load(*at);
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path = slash == path.npos ? std::string_view() : path.substr(slash + 1);
    auto found = at->items.find(name);
    if (found == at->items.end()) {
      if (!create) return nullptr;
      found = at->items.emplace(std::string(name), item{}).first;
      found->second.mode = GIT_FILEMODE_TREE;
      found->second.content = std::make_unique<folder>();
      found->second.content->loaded = true;
    }
    item& next = found->second;
    if (next.mode != GIT_FILEMODE_TREE) {
      if (!create) return nullptr;
      throw unprocessable("\"" + std::string(name) + "\" is a file, not a folder");
    }
    if (!next.content) {
      next.content = std::make_unique<folder>();
      next.content->id = next.id;
    }
    load(*next.content);
    if (create) at->changed = true;
    at = next.content.get();
  }
  return at;
}

void git_tree_edit::put(std::string_view path, const git_oid& blob) {
  const auto slash = path.rfind('/');
  folder* const parent =
      find(slash == path.npos ? std::string_view() : path.substr(0, slash), true);
  const std::string_view name = slash == path.npos ? path : path.substr(slash + 1);
  auto found = parent->items.find(name);
  if (found == parent->items.end()) found = parent->items.emplace(std::string(name), item{}).first;
  if (found->second.mode == GIT_FILEMODE_TREE) {
    if (!found->second.content || !is_empty(*found->second.content))
      throw unprocessable("\"" + std::string(path) + "\" is a folder");
    found->second = item{};
  }
  if (found->second.mode != GIT_FILEMODE_BLOB_EXECUTABLE) found->second.mode = GIT_FILEMODE_BLOB;
  found->second.id = blob;
  parent->changed = true;
}

bool git_tree_edit::remove(std::string_view path, bool is_folder) {
  const auto slash = path.rfind('/');
  const std::string_view above = slash == path.npos ? std::string_view() : path.substr(0, slash);
  folder* parent = find(above, false);
  if (parent == nullptr) return false;
  const auto found = parent->items.find(slash == path.npos ? path : path.substr(slash + 1));
  if (found == parent->items.end()) return false;
  if ((found->second.mode == GIT_FILEMODE_TREE) != is_folder) return false;
  parent->items.erase(found);
  parent = find(above, true);  // marks the way to it as changed
  parent->changed = true;
  return true;
}

bool git_tree_edit::remove_file(std::string_view path) { return remove(path, false); }
bool git_tree_edit::remove_folder(std::string_view path) { return remove(path, true); }

/// False if the folder is empty: git has no empty folders, the root apart.
bool git_tree_edit::write(folder& which, const tree_writer& store, bool is_root) const {
  if (!which.changed) return true;
  for (auto at = which.items.begin(); at != which.items.end();) {
    item& each = at->second;
    if (each.content && each.content->changed) {
      if (!write(*each.content, store, false)) {
        at = which.items.erase(at);
        continue;
      }
      each.id = each.content->id;
    }
    ++at;
  }
  if (which.items.empty() && !is_root) return false;
  // Git sorts a folder as if its name ended in '/'.
  std::vector<std::pair<std::string, const item*>> sorted;
  sorted.reserve(which.items.size());
  for (const auto& [name, each] : which.items)
    sorted.emplace_back(each.mode == GIT_FILEMODE_TREE ? name + '/' : name, &each);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string bytes;
  for (const auto& [key, each] : sorted) {
    switch (each->mode) {
      case GIT_FILEMODE_TREE:
        bytes += "40000 ";
        break;
      case GIT_FILEMODE_BLOB_EXECUTABLE:
        bytes += "100755 ";
        break;
      case GIT_FILEMODE_LINK:
        bytes += "120000 ";
        break;
      case GIT_FILEMODE_COMMIT:
        bytes += "160000 ";
        break;
      default:
        bytes += "100644 ";
        break;
    }
    bytes.append(key, 0, each->mode == GIT_FILEMODE_TREE ? key.size() - 1 : key.size());
    bytes += '\0';
    bytes.append(reinterpret_cast<const char*>(each->id.id), GIT_OID_RAWSZ);
  }
  which.id = store(bytes);
  which.changed = false;
  return true;
}

git_oid git_tree_edit::write(const tree_writer& store) {
  write(*root_, store, true);
  return root_->id;
}

}  // namespace cohub::server
