#pragma once

#include "server/git/git_handle.hpp"

#include <functional>
#include <memory>
#include <string_view>

namespace cohub::server {

/// Changes to a tree, held in memory until `write`: only folders that something touches are loaded,
/// and only those that changed are written. `repository` outlives it.
class git_tree_edit {
 public:
  /// @param base  the tree to start from
  git_tree_edit(::git_repository* repository, const git_oid& base);
  ~git_tree_edit();

  /// Adds or replaces a file.
  /// @throws failure  422: a folder with files is in the way, or a file where a folder is needed
  void put(std::string_view path, const git_oid& blob);
  /// False if there is no such file.
  bool remove_file(std::string_view path);
  /// False if there is no such folder.
  bool remove_folder(std::string_view path);

  /// Stores a tree object and yields its id.
  using tree_writer = std::function<git_oid(std::string_view tree)>;
  /// Writes the new trees, and yields the root's id.
  git_oid write(const tree_writer& store);

 private:
  struct folder;
  struct item;

  void load(folder& which) const;
  static bool is_empty(const folder& which);
  folder* find(std::string_view path, bool create);
  bool remove(std::string_view path, bool is_folder);
  bool write(folder& which, const tree_writer& store, bool is_root) const;

  ::git_repository* repository_;
  std::unique_ptr<folder> root_;
};

}  // namespace cohub::server
