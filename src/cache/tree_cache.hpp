#pragma once

#include "cohub/repository.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Listings of commits, kept as `trees/<commit>.json`: a commit never changes (hub-protocol,
/// section 5.3).
namespace cohub::cache {

/// The files of a listing as the text that is kept, collected page by page: it takes a fraction of
/// what the entries do. Folders are left out.
class tree_text {
 public:
  tree_text() = default;
  explicit tree_text(const std::vector<tree_entry>& entries) { add(entries); }

  void add(const std::vector<tree_entry>& entries);
  bool empty() const noexcept { return lines_.empty(); }
  /// False for a listing in which some `xet_hash` is hidden from who asked: one with access gets
  /// another.
  bool is_worth_keeping() const noexcept { return !hides_; }
  /// By path.
  std::string str() const;

 private:
  struct line {
    std::string path{};
    std::string fields{};
  };
  std::vector<line> lines_{};
  bool hides_ = false;
};

/// Nothing for text that is damaged, of another format, or names paths that could leave a folder.
std::optional<std::vector<tree_entry>> decode_tree(std::string_view text);

/// Blocking. Nothing if there is no listing that can be used.
std::optional<std::vector<tree_entry>> read_tree(const std::filesystem::path& path);

/// Blocking; makes the folder. The temporary lies in the folder above `path`'s. A listing that is
/// not worth keeping is not written.
void write_tree(const std::filesystem::path& path, const tree_text& listing);

}  // namespace cohub::cache
