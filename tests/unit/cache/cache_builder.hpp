#pragma once

#include "cohub/cache.hpp"

#include "cache/scan.hpp"
#include "io/file.hpp"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cohub::test {

/// A cache that a test fills as clients do, or as no client does.
struct cache_builder {
  io::temporary_directory folder;
  std::filesystem::path root = std::filesystem::canonical(folder.path()) / "hub";
  std::filesystem::path repo = root / "models--ns--name";

  cache_builder() { std::filesystem::create_directories(root); }

  static std::string sha(char digit) { return std::string(40, digit); }

  void write(const std::filesystem::path& path, const std::string& content) {
    std::filesystem::create_directories(path.parent_path());
    io::write_file_atomically(path, content);
  }

  /// A file of a snapshot, linked to its blob.
  void put(const std::filesystem::path& in, const std::string& commit, const std::string& path,
           const std::string& etag, const std::string& content) {
    const auto blob = in / "blobs" / etag;
    if (!std::filesystem::exists(blob)) write(blob, content);
    const auto pointer = in / "snapshots" / commit / path;
    std::filesystem::create_directories(pointer.parent_path());
    std::filesystem::create_symlink(blob.lexically_relative(pointer.parent_path()), pointer);
  }

  /// Two revisions that share a blob, the first of them without ref.
  void put_two_revisions() {
    put(repo, sha('a'), "shared.txt", "e-shared", "12345");
    put(repo, sha('a'), "sub/old.bin", "e-old", "1234567890");
    put(repo, sha('b'), "shared.txt", "e-shared", "12345");
    put(repo, sha('b'), "new.bin", "e-new", "123");
    write(repo / "refs/main", sha('b'));
    write(repo / "refs/refs/pr/1", sha('b'));
  }

  cache_info scan() const {
    auto found = cache::scan_root(root);
    std::vector<cache::repo_scan> scans;
    for (const auto& path : found.folders) scans.push_back(cache::scan_repo(path));
    return cache::join_scans(std::move(found), std::move(scans));
  }

  /// As if nobody had touched it for a day.
  static void make_old(const std::filesystem::path& path) {
    std::filesystem::last_write_time(
        path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(24));
  }

  /// Everything below a folder but folders, relative to it.
  static std::set<std::string> below(const std::filesystem::path& path) {
    std::set<std::string> names;
    if (!std::filesystem::exists(path)) return names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
      if (entry.is_symlink() || !entry.is_directory())
        names.insert(entry.path().lexically_relative(path).string());
    return names;
  }
};

}  // namespace cohub::test
