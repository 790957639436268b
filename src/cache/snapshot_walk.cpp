#include "cache/snapshot_walk.hpp"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace cohub::cache {

namespace fs = std::filesystem;

namespace {

/// Deeper than any path that a file system takes.
constexpr std::size_t depth_limit = 2048;

void walk(const fs::path& folder, const std::string& prefix, std::size_t depth,
          std::vector<cache_warning>& warnings,
          const std::function<void(const fs::path&, const std::string&)>& visit,
          const std::function<void(const fs::path&)>& enter) {
  if (enter) enter(folder);
  if (depth > depth_limit) {
    warnings.push_back(make_warning(folder, "lies too deep"));
    return;
  }
  for (const auto& name : list_names(folder, warnings)) {
    const auto path = folder / name;
    std::error_code failure;
    const auto status = fs::symlink_status(path, failure);
    if (failure) {
      if (status.type() != fs::file_type::not_found)  // else it went meanwhile
        warnings.push_back(make_warning(path, "cannot be looked at: " + failure.message()));
    } else if (status.type() == fs::file_type::directory) {
      walk(path, prefix + name.string() + '/', depth + 1, warnings, visit, enter);
    } else if (status.type() == fs::file_type::symlink && fs::is_directory(path, failure)) {
      warnings.push_back(make_warning(path, "is a link to a folder, which is not followed"));
    } else {
      visit(path, prefix + name.string());
    }
  }
}

}  // namespace

cache_warning make_warning(const fs::path& path, std::string message) {
  cache_warning warning;
  warning.path = path;
  warning.message = std::move(message);
  return warning;
}

bool is_clutter(const fs::path& name) {
  constexpr std::array<const char*, 3> known{".DS_Store", "Thumbs.db", "desktop.ini"};
  return std::any_of(known.begin(), known.end(), [&](const char* one) { return name == one; });
}

std::vector<fs::path> list_names(const fs::path& folder, std::vector<cache_warning>& warnings) {
  std::vector<fs::path> names;
  std::error_code failure;
  fs::directory_iterator entries(folder, failure);
  for (; !failure && entries != fs::directory_iterator(); entries.increment(failure))
    names.push_back(entries->path().filename());
  if (failure && failure != std::errc::no_such_file_or_directory)
    warnings.push_back(make_warning(folder, "cannot be read: " + failure.message()));
  std::sort(names.begin(), names.end());
  return names;
}

void walk_files(const fs::path& folder, std::vector<cache_warning>& warnings,
                const std::function<void(const fs::path&, const std::string&)>& visit,
                const std::function<void(const fs::path&)>& enter) {
  walk(folder, {}, 0, warnings, visit, enter);
}

fs::path resolve_file(const fs::path& repo, const fs::path& file) {
  std::error_code failure;
  const auto text = fs::read_symlink(file, failure);
  if (failure) return file;  // the content itself
  // Nearly all links are "../../blobs/<etag>": looking at the one file is enough.
  const auto target = (file.parent_path() / text).lexically_normal();
  if (target.parent_path() == repo / "blobs" &&
      fs::symlink_status(target, failure).type() == fs::file_type::regular &&
      fs::symlink_status(repo / "blobs", failure).type() == fs::file_type::directory)
    return target;
  return fs::canonical(file);
}

}  // namespace cohub::cache
