#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What tells commits of a repository on disk apart. Blocking.
namespace cohub::server {

enum class diff_format {
  patch,  ///< texts, as `git diff` writes them; large files by their pointers
  raw     ///< a line a file, as `git diff --raw` writes it
};

/// What has changed from one commit to another; nothing if it has more than `limit` bytes, or takes
/// long to be found out.
std::optional<std::string> write_diff(const std::filesystem::path& repository,
                                      const std::string& from, const std::string& to,
                                      diff_format format, std::size_t limit);

/// The newest commit that is in the history of both; nothing if there is none.
std::optional<std::string> merge_base(const std::filesystem::path& repository,
                                      const std::string& one, const std::string& other);

/// The files that keep one commit from being merged into another: all that they differ in, if they
/// have no history in common.
std::vector<std::string> conflicting_files(const std::filesystem::path& repository,
                                           const std::string& ours, const std::string& theirs);

}  // namespace cohub::server
