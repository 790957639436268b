#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::server {

/// The work that matching may cost a request, whose sender chooses patterns and paths.
class match_budget {
 public:
  /// @throws failure  422: it is used up
  void spend(std::size_t steps);

 private:
  std::size_t left_ = 20'000'000;
};

/// Whether `path` matches git's `pattern`: `*` and `?` stop at '/', `**` does not.
bool git_glob_match(std::string_view pattern, std::string_view path, match_budget& budget);

/// The rules of a .gitignore at the root. A pattern longer than any path is none.
class ignore_rules {
 public:
  explicit ignore_rules(std::string_view text);
  /// Whether the file, or a folder it is in, is ignored.
  bool ignores(std::string_view path, match_budget& budget) const;

 private:
  struct rule {
    std::string pattern{};
    bool negated = false;
    bool folders_only = false;
    bool anchored = false;  ///< matches from the root on, not the last name alone
  };
  bool ignores_one(std::string_view path, bool is_folder, match_budget& budget) const;
  std::vector<rule> rules_;
};

/// Which files a .gitattributes at the root puts under LFS. A pattern longer than any path is none.
class large_file_rules {
 public:
  explicit large_file_rules(std::string_view text);
  bool is_large(std::string_view path, match_budget& budget) const;

 private:
  struct rule {
    std::string pattern{};
    bool anchored = false;
    bool large = false;
  };
  std::vector<rule> rules_;
};

}  // namespace cohub::server
