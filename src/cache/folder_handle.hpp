#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cohub::cache {

/// An open folder whose entries are reached through it alone: whatever links somebody plants,
/// nothing outside is touched. Blocking. Failures throw `cohub::error` with the system's code.
class folder_handle {
 public:
  /// Links on the way are followed: for the root that the user names.
  explicit folder_handle(std::filesystem::path path);
  folder_handle(folder_handle&& other) noexcept;
  folder_handle& operator=(folder_handle&&) = delete;
  ~folder_handle();

  const std::filesystem::path& path() const noexcept { return path_; }

  /// A folder in this one. A link is refused.
  folder_handle child(const std::string& name) const;
  /// Nothing if there is none.
  std::optional<folder_handle> find_child(const std::string& name) const;

  std::vector<std::string> names() const;
  /// Of the entry itself, not of what a link leads to; nothing if there is none.
  std::optional<struct stat> status(const std::string& name) const;

  /// Removes a file or link; false if there is none.
  bool remove_file(const std::string& name) const;
  /// Removes a folder if it is empty; whether it is gone.
  bool remove_empty_folder(const std::string& name) const;
  /// Removes an entry with all that is in it. Bytes of the files that are gone.
  std::uint64_t remove_tree(const std::string& name) const;
  /// The same, but the folders stay, empty.
  std::uint64_t remove_files_below(const std::string& name) const;

  /// Moves an entry of this folder into another one on the same file system; false if there is
  /// none.
  bool move(const std::string& name, const folder_handle& to, const std::string& new_name) const;

 private:
  folder_handle(int descriptor, std::filesystem::path path);
  std::uint64_t remove_tree(const std::string& name, bool folders, int depth) const;
  [[noreturn]] void fail(int code, const char* doing, const std::string& name) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace cohub::cache
