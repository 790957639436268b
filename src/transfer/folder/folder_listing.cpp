#include "transfer/folder/folder_listing.hpp"

#include "cohub/error.hpp"

#include "hub/repo_path.hpp"
#include "io/on_pool.hpp"
#include "transfer/report_event.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cohub::transfer {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(boost::system::error_code code, const fs::path& path) {
  throw error(code, "reading " + path.string());
}

/// Whether it is no file that anybody could mean: a link to nothing, or to itself.
bool leads_nowhere(const std::error_code& failure) {
  return failure == std::errc::no_such_file_or_directory || failure == std::errc::not_a_directory ||
         failure == std::errc::too_many_symbolic_link_levels;
}

}  // namespace

std::string repo_prefix(const std::string& folder) {
  if (folder == "." || folder == "./") return {};
  auto prefix = hub::check_path_in_repo(folder);
  if (!prefix)
    throw error(prefix.error(), "the folder \"" + folder + "\" cannot be in a repository");
  while (prefix->ends_with('/')) prefix->pop_back();
  return prefix->empty() ? std::string() : *prefix + '/';
}

std::vector<folder_file> list_folder(const fs::path& folder, const core::path_filter& filter,
                                     const std::stop_token& stop) {
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) {
    const auto code =
        failure ? boost::system::error_code(failure)
                : boost::system::errc::make_error_code(boost::system::errc::not_a_directory);
    throw error(code, "reading the folder " + folder.string());
  }
  std::vector<folder_file> files;
  const auto below = (folder / "").native().size();
  const auto how = fs::directory_options::skip_permission_denied;  // looked at below
  fs::recursive_directory_iterator entry(folder, how, failure);
  for (; !failure && entry != fs::recursive_directory_iterator(); entry.increment(failure)) {
    io::throw_if_stopped(stop);
    std::error_code unreadable;
    const bool is_file = entry->is_regular_file(unreadable);
    if (!is_file && leads_nowhere(unreadable)) continue;
    folder_file file;
    file.path = entry->path();
    file.relative = file.path.native().substr(below);
    if (is_file || unreadable) {
      if (!filter.keeps(file.relative)) continue;
      if (unreadable) refuse(unreadable, file.path);
      files.push_back(std::move(file));
    } else if (entry->is_directory(unreadable) && !entry->is_symlink(unreadable) &&
               ::faccessat(AT_FDCWD, file.path.c_str(), R_OK | X_OK, AT_EACCESS) != 0 &&
               filter.keeps(file.relative + "/x")) {
      refuse({errno, boost::system::system_category()}, file.path);
    }
  }
  if (failure) throw error(failure, "reading the folder " + folder.string());
  std::sort(files.begin(), files.end(),
            [](const folder_file& a, const folder_file& b) { return a.relative < b.relative; });
  return files;
}

std::vector<folder_file> list_committable(const fs::path& folder, const core::path_filter& filter,
                                          const std::shared_ptr<cohub::observer>& observer,
                                          const std::stop_token& stop,
                                          std::set<std::string>* told) {
  auto files = list_folder(folder, filter, stop);
  std::erase_if(files, [&](const folder_file& file) {
    if (hub::check_path_in_repo(file.relative)) return false;
    if (told == nullptr || told->insert(file.relative).second)
      report_event(observer, transfer_event::kind::warning, file.relative,
                   "left out: no repository takes a file of that path");
    return true;
  });
  return files;
}

}  // namespace cohub::transfer
