#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace cohub::server {

/// Where commits of a repository name a large object.
struct lfs_mention {
  std::string path{};
  std::string ref{};  ///< whose head names it there; empty: only older commits do
  std::uint64_t size = 0;
};

/// All large objects that commits of a repository name, by their sha256: the heads of its refs
/// first, then their history. Blocking; each tree is read once.
std::map<std::string, lfs_mention> find_lfs_mentions(const std::filesystem::path& repository);

}  // namespace cohub::server
