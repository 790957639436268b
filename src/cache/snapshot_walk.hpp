#pragma once

#include "cohub/cache.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace cohub::cache {

/// Files that operating systems leave everywhere.
bool is_clutter(const std::filesystem::path& name);

/// The names in a folder, sorted. Nothing there is no error; what cannot be read is a warning.
std::vector<std::filesystem::path> list_names(const std::filesystem::path& folder,
                                              std::vector<cache_warning>& warnings);

/// Visits the files below a folder, links to files included, with their path relative to it. A link
/// to a folder is not followed, since it may lead anywhere: a warning. `enter`, if given, is told
/// of each folder before it is read.
void walk_files(
    const std::filesystem::path& folder, std::vector<cache_warning>& warnings,
    const std::function<void(const std::filesystem::path& file, const std::string& name)>& visit,
    const std::function<void(const std::filesystem::path& folder)>& enter = nullptr);

/// Where a file of a snapshot has its content. `repo` is free of links.
/// @throws std::filesystem::filesystem_error  the link leads to nothing
std::filesystem::path resolve_file(const std::filesystem::path& repo,
                                   const std::filesystem::path& file);

cache_warning make_warning(const std::filesystem::path& path, std::string message);

}  // namespace cohub::cache
