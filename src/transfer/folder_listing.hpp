#pragma once

#include "core/glob.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace cohub::transfer {

/// One file below a folder.
struct folder_file {
  std::string relative{};        ///< POSIX path below the folder
  std::filesystem::path path{};  ///< where it is
};

/// The files below `folder` that `filter` keeps, sorted by path; symlinks to files count as files,
/// symlinked folders are not entered. Blocking: for the pool.
/// @throws error  the system's code if the folder, or one in it, cannot be read
std::vector<folder_file> list_folder(const std::filesystem::path& folder,
                                     const core::path_filter& filter);

}  // namespace cohub::transfer
