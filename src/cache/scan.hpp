#pragma once

#include "cohub/cache.hpp"

#include <filesystem>
#include <optional>
#include <stop_token>
#include <vector>

/// Looking through a cache (hub-protocol, section 10). All of it blocks: it belongs on the pool.
///
/// Where the Python client hides a whole repository for one stray file, here that file is left out
/// with a warning.
namespace cohub::cache {

/// What the root of a cache holds, before any repository is looked into.
struct cache_root {
  std::filesystem::path path{};                  ///< absolute, links followed
  std::vector<std::filesystem::path> folders{};  ///< what may be repositories, sorted
  std::vector<cached_incomplete_file_info> incomplete_files{};
  std::vector<cache_warning> warnings{};
};

/// @throws error  errc::local_entry_not_found: there is no such folder; errc::invalid_argument: it
/// is a file
cache_root scan_root(const std::filesystem::path& cache_dir);

/// What one folder of a cache holds.
struct repo_scan {
  std::optional<cached_repo_info> repo{};  ///< nothing: it is no repository, as a warning says
  std::vector<cached_incomplete_file_info> incomplete_files{};
  std::vector<cached_blob_info> unlinked_blobs{};
  std::vector<cache_warning> warnings{};
};

/// @throws boost::system::system_error  operation_aborted: `stop` told it to
repo_scan scan_repo(const std::filesystem::path& folder, const std::stop_token& stop = {});

/// Joins the scans of a root and its folders, in their order.
cache_info join_scans(cache_root root, std::vector<repo_scan> scans);

}  // namespace cohub::cache
