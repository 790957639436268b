#pragma once

#include "cohub/cache.hpp"

#include <chrono>
#include <string>
#include <vector>

/// What `cache ls` shows of a cache: rows, filtered and sorted (hub-protocol, section 10).
namespace cohub::tool {

/// A repository, or one revision of it. Points into the `cache_info` that it came from.
struct cache_row {
  const cached_repo_info* repo = nullptr;
  const cached_revision_info* revision = nullptr;  ///< null: the row is the repository

  std::uint64_t size() const;
  std::chrono::system_clock::time_point last_modified() const;
  std::vector<std::string> refs() const;  ///< sorted
};

/// Sorted by name.
std::vector<cache_row> list_cache(const cache_info& info, bool revisions);

/// Keeps what "size>1GB", "accessed>7d", "modified<=2w", "type=model" or "refs=main" says.
/// @throws std::invalid_argument  says what is wrong with the expression
void filter_cache(std::vector<cache_row>& rows, const std::string& expression,
                  std::chrono::system_clock::time_point now);

/// Sorts by "accessed", "modified", "name" or "size", with ":asc" or ":desc" if wanted.
/// @throws std::invalid_argument
void sort_cache(std::vector<cache_row>& rows, const std::string& expression);

/// "2 weeks ago"
std::string time_since(std::chrono::system_clock::time_point then,
                       std::chrono::system_clock::time_point now);

}  // namespace cohub::tool
