#include "server/store/folder_entries.hpp"

#include "cohub/error.hpp"

#include <system_error>

namespace cohub::server {

namespace {

void check(const std::error_code& failure, const std::filesystem::path& path) {
  if (failure) throw error(failure, "looking into " + path.string());
}

bool means_none(const std::error_code& failure) {
  return failure == std::errc::no_such_file_or_directory || failure == std::errc::not_a_directory;
}

}  // namespace

std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code failure;
  std::filesystem::directory_iterator entry(folder, failure);
  if (means_none(failure)) return found;
  check(failure, folder);
  for (const std::filesystem::directory_iterator end; entry != end;) {
    found.push_back(entry->path());
    entry.increment(failure);
    check(failure, folder);
  }
  return found;
}

bool is_there(const std::filesystem::path& path) {
  std::error_code failure;
  const bool found = std::filesystem::exists(path, failure);
  check(failure, path);
  return found;
}

}  // namespace cohub::server
