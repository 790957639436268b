#pragma once

#include "cohub/observer.hpp"

#include "core/glob.hpp"

#include <filesystem>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace cohub::transfer {

/// A folder in the repository as the paths in it begin; empty: the root.
/// @throws error  errc::invalid_path
std::string repo_prefix(const std::string& folder);

/// One file below a folder.
struct folder_file {
  std::string relative{};        ///< POSIX path below the folder
  std::filesystem::path path{};  ///< where it is
};

/// The files below `folder` that `filter` keeps, sorted by path; symlinks to files count as files,
/// symlinked folders are not entered. Blocking: for the pool.
/// @param stop  ends it with operation_aborted
/// @throws error  the system's code if the folder, or one in it, cannot be read
std::vector<folder_file> list_folder(const std::filesystem::path& folder,
                                     const core::path_filter& filter, const std::stop_token& stop);

/// Those of them that a repository takes: of what is below a `.cache` folder, say, the observer is
/// warned.
/// @param told  the paths that it has been warned of by earlier looks, and is not again
std::vector<folder_file> list_committable(const std::filesystem::path& folder,
                                          const core::path_filter& filter,
                                          const std::shared_ptr<cohub::observer>& observer,
                                          const std::stop_token& stop,
                                          std::set<std::string>* told = nullptr);

}  // namespace cohub::transfer
