#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cohub/observer.hpp"
#include "cohub/repository.hpp"

namespace cohub {

struct download_options {
  repo_type type = repo_type::model;
  std::string revision = "main";      ///< branch, tag, `refs/pr/N` or commit
  std::string subfolder{};            ///< put in front of the path
  std::filesystem::path cache_dir{};  ///< empty: the client's
  std::filesystem::path local_dir{};  ///< not empty: the file goes to `local_dir/path`, not the cache
  bool force_download = false;        ///< fetch again what is cached
  bool local_files_only = false;      ///< use what is cached; no request
  std::optional<std::string> token{};  ///< unset: the client's; "" sends none
  std::size_t connections = 16;  ///< the most ranged requests in flight; as many as help are used
  std::uint64_t chunk_size = 0;  ///< bytes per ranged request, at least 64 KiB; 0: about a second's worth
  std::chrono::steady_clock::duration timeout{};  ///< for the whole file; zero means no limit
  std::shared_ptr<cohub::observer> observer{};    ///< null: the client's
};

struct snapshot_download_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::filesystem::path cache_dir{};
  std::filesystem::path local_dir{};
  std::optional<std::vector<std::string>> allow_patterns{};  ///< unset: all; empty: none (fnmatch rules)
  std::vector<std::string> ignore_patterns{};
  bool force_download = false;
  bool local_files_only = false;
  std::optional<std::string> token{};
  std::size_t max_workers = 16;  ///< files in flight
  std::shared_ptr<cohub::observer> observer{};
};

}  // namespace cohub
