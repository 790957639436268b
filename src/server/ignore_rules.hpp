#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cohub::server {

/// Whether `path` matches git's `pattern`: `*` and `?` stop at '/', `**` does not.
bool git_glob_match(std::string_view pattern, std::string_view path);

/// The rules of a .gitignore at the root.
class ignore_rules {
 public:
  explicit ignore_rules(std::string_view text);
  /// Whether the file, or a folder it is in, is ignored.
  bool ignores(std::string_view path) const;

 private:
  struct rule {
    std::string pattern{};
    bool negated = false;
    bool folders_only = false;
    bool anchored = false;  ///< matches from the root on, not the last name alone
  };
  bool matches(const rule& which, std::string_view path, bool is_folder) const;
  bool ignores_one(std::string_view path, bool is_folder) const;
  std::vector<rule> rules_;
};

/// Which files a .gitattributes at the root puts under LFS.
class large_file_rules {
 public:
  explicit large_file_rules(std::string_view text);
  bool is_large(std::string_view path) const;

 private:
  struct rule {
    std::string pattern{};
    bool anchored = false;
    bool large = false;
  };
  std::vector<rule> rules_;
};

}  // namespace cohub::server
