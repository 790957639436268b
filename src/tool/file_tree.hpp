#pragma once

#include <string>
#include <vector>

namespace cohub::tool {

/// A file or folder of a repository, as it is listed.
struct listed_file {
  std::string path{};
  std::string size{};  ///< as it is to be shown; empty: none
  bool is_folder = false;
};

/// A line for each file and folder, below the folder that it is in; sizes in front, aligned. By
/// name. Folders need not be listed for themselves; below the deepest that are drawn, a line has
/// the rest of the path.
std::vector<std::string> draw_tree(const std::vector<listed_file>& files);

}  // namespace cohub::tool
