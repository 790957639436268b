#pragma once

#include "cohub/repository.hpp"

#include <string>
#include <utility>
#include <vector>

namespace cohub::test {

inline tree_entry listed_file(std::string path, std::uint64_t size) {
  tree_entry entry;
  entry.path = std::move(path);
  entry.size = size;
  entry.oid = std::string(40, '1');
  return entry;
}

/// A large file, a folder, a small file, and one whose name must be escaped.
inline std::vector<tree_entry> example_listing() {
  auto large = listed_file("model.safetensors", 8);
  lfs_info info;
  info.sha256 = std::string(64, 'e');
  info.size = 8;
  large.lfs = info;
  tree_entry folder;
  folder.type = tree_entry::kind::directory;
  folder.path = "sub";
  return {large, folder, listed_file("README.md", 167),
          listed_file("sub/\xc3\xa9\"\\\xf0\x9f\x98\x80", 1)};
}

}  // namespace cohub::test
