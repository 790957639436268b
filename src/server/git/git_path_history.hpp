#pragma once

#include "server/git/git_handle.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace cohub::server {

/// Looks for what changed some paths, from a commit's tree to that of the one before it, and so on.
/// Of each tree it looks at the asked entries alone, and no folder that stayed the same is read.
class git_path_history {
 public:
  /// @param repository  must outlive it
  git_path_history(::git_repository* repository, const std::vector<std::string>& paths);

  /// The tree to start from.
  void begin(git_tree_ptr root);
  /// Goes on to the tree before; the paths that are not the same there, which are done with.
  std::vector<std::string> go_back(git_tree_ptr root);
  /// The paths whose change has not been found, which are done with.
  std::vector<std::string> rest();

  bool empty() const noexcept { return top_.below.empty(); }
  /// Whether so much has been read that it has to come to an end.
  bool is_dear() const noexcept;

 private:
  /// A folder on the way to what was asked for, or that itself.
  struct node {
    bool asked = false;
    git_tree_ptr tree{};  // of the commit looked at last; null: no folder, or not read yet
    std::map<std::string, node> below{};
  };

  git_tree_ptr read(const git_tree_entry* entry);
  void compare(node& now, git_tree_ptr before, const std::string& prefix,
               std::vector<std::string>& changed);
  static void take_all(node& from, const std::string& prefix, std::vector<std::string>& taken);

  ::git_repository* repository_;
  node top_{};
  std::size_t entries_read_ = 0;
};

}  // namespace cohub::server
