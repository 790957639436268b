#include "server/git/git_path_history.hpp"

#include <string_view>
#include <utility>

namespace cohub::server {

namespace {

/// About half a second's worth of reading.
constexpr std::size_t most_entries = 4'000'000;

/// Either may be null: not there.
bool is_same(const git_tree_entry* one, const git_tree_entry* other) {
  if (one == nullptr || other == nullptr) return one == other;
  return git_tree_entry_filemode(one) == git_tree_entry_filemode(other) &&
         git_oid_equal(git_tree_entry_id(one), git_tree_entry_id(other)) != 0;
}

const git_tree_entry* entry_of(const git_tree_ptr& tree, const std::string& name) {
  return tree ? git_tree_entry_byname(tree.get(), name.c_str()) : nullptr;
}

}  // namespace

git_path_history::git_path_history(::git_repository* repository,
                                   const std::vector<std::string>& paths)
    : repository_(repository) {
  for (std::string_view path : paths) {
    node* at = &top_;
    for (;;) {
      const auto slash = path.find('/');
      at = &at->below[std::string(path.substr(0, slash))];
      if (slash == path.npos) break;
      path.remove_prefix(slash + 1);
    }
    at->asked = true;
  }
}

bool git_path_history::is_dear() const noexcept { return entries_read_ > most_entries; }

void git_path_history::begin(git_tree_ptr root) { top_.tree = std::move(root); }

std::vector<std::string> git_path_history::go_back(git_tree_ptr root) {
  std::vector<std::string> changed;
  entries_read_ += git_tree_entrycount(root.get());
  const bool same = git_oid_equal(git_tree_id(root.get()), git_tree_id(top_.tree.get())) != 0;
  if (!same) compare(top_, std::move(root), {}, changed);
  return changed;
}

std::vector<std::string> git_path_history::rest() {
  std::vector<std::string> paths;
  take_all(top_, {}, paths);
  top_.below.clear();
  return paths;
}

git_tree_ptr git_path_history::read(const git_tree_entry* entry) {
  if (entry == nullptr || git_tree_entry_type(entry) != GIT_OBJECT_TREE) return nullptr;
  git_tree* raw = nullptr;
  git_check(git_tree_lookup(&raw, repository_, git_tree_entry_id(entry)), "reading a folder");
  git_tree_ptr tree(raw);
  entries_read_ += git_tree_entrycount(raw);
  return tree;
}

void git_path_history::compare(node& now, git_tree_ptr before, const std::string& prefix,
                               std::vector<std::string>& changed) {
  for (auto at = now.below.begin(); at != now.below.end();) {
    auto& [name, each] = *at;
    const auto* entry_now = entry_of(now.tree, name);
    const auto* entry_before = entry_of(before, name);
    if (!is_same(entry_now, entry_before)) {
      if (std::exchange(each.asked, false)) changed.push_back(prefix + name);
      if (!each.below.empty()) {
        if (!each.tree) each.tree = read(entry_now);
        compare(each, read(entry_before), prefix + name + '/', changed);
      }
      if (each.below.empty()) {
        at = now.below.erase(at);
        continue;
      }
    }
    ++at;
  }
  now.tree = std::move(before);
}

void git_path_history::take_all(node& from, const std::string& prefix,
                                std::vector<std::string>& taken) {
  for (auto& [name, each] : from.below) {
    if (each.asked) taken.push_back(prefix + name);
    take_all(each, prefix + name + '/', taken);
  }
}

}  // namespace cohub::server
