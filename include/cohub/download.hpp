#pragma once

#include "cohub/observer.hpp"
#include "cohub/repository.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cohub {

struct download_options {
  repo_type type = repo_type::model;
  std::string revision = "main";  ///< branch, tag, `refs/pr/N` or commit
  std::string subfolder{};        ///< put in front of the path
  /// Empty: the client's. Here and below, a leading "~" is the home directory.
  std::filesystem::path cache_dir{};
  /// Not empty: the file goes to `local_dir/path`, not into the cache.
  std::filesystem::path local_dir{};
  bool force_download = false;         ///< fetch again what is cached
  bool local_files_only = false;       ///< use what is cached; no request
  std::optional<std::string> token{};  ///< unset: the client's; "" sends none
  /// The most ranged requests in flight, at least 1; as many as help are used. All large files of a
  /// client together have `client_config::max_connections`.
  std::size_t connections = 16;
  /// Bytes per ranged request, at least 64 KiB; 0: 1 to 32 MiB, so that the wait for an answer
  /// hardly counts. Either out of range is errc::invalid_argument.
  std::uint64_t chunk_size = 0;
  /// For the whole file; zero means no limit. A negative one has passed: errc::timed_out at once.
  std::chrono::steady_clock::duration timeout{};
  /// For the question before the download; zero means no limit. Unset: `time_limits::metadata`. As
  /// in the Python client, `HF_HUB_ETAG_TIMEOUT` beats both where it is set to anything but 10
  /// seconds.
  std::optional<std::chrono::milliseconds> etag_timeout{};
  /// Another Hub than the client's. The client's token is not sent there, only `token`.
  std::string endpoint{};
  /// Sent to the Hub with each request, in place of what the library says under the same name.
  /// Those that decide what a request means (Host, Range, If-Range, Connection, Accept-Encoding and
  /// those of bodies) are refused with errc::invalid_argument. So a Range is never shifted as in
  /// the Python client: what is downloaded is a whole, verified file; `client::open_file` reads
  /// parts. Another host that the Hub redirects to gets none of them.
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string user_agent{};                     ///< added to the client's: "name/version; other/1"
  std::shared_ptr<cohub::observer> observer{};  ///< null: the client's
};

/// What a download would do (`client::download_file_dry_run`).
struct dry_run_file_info {
  std::string commit_hash{};    ///< that the revision names; empty: a local file of unknown origin
  std::uint64_t file_size = 0;  ///< in bytes, of the content
  std::string filename{};       ///< path in the repository
  std::filesystem::path local_path{};  ///< where the file is, or would be
  bool is_cached = false;              ///< its content is there already, in this or another place
  bool will_download = false;          ///< not cached, or `force_download`
};

struct try_to_load_from_cache_options {
  repo_type type = repo_type::model;
  std::string revision = "main";      ///< resolved by what the cache knows of it
  std::filesystem::path cache_dir{};  ///< empty: the client's
};

struct resolve_revision_options {
  repo_type type = repo_type::model;
  std::string revision = "main";      ///< branch, tag or commit
  std::filesystem::path cache_dir{};  ///< empty: the client's
  std::optional<std::string> token{};
};

/// What a cache knows of a file without asking the Hub.
struct cached_file {
  enum class knowledge {
    nothing,  ///< it may exist or not
    absent,   ///< the Hub said that this commit has no such file
    present,  ///< `path` is it
  };
  knowledge what = knowledge::nothing;
  std::filesystem::path path{};  ///< empty unless present
};

struct snapshot_download_options {
  repo_type type = repo_type::model;
  std::string revision = "main";      ///< branch, tag, `refs/pr/N` or commit
  std::filesystem::path cache_dir{};  ///< empty: the client's
  /// Not empty: the files go to `local_dir/path`, not into the cache.
  std::filesystem::path local_dir{};
  std::optional<std::vector<std::string>>
      allow_patterns{};                        ///< unset: all; empty: none (fnmatch rules)
  std::vector<std::string> ignore_patterns{};  ///< of what is left out, whatever else allows it
  bool force_download = false;                 ///< fetch again what is there
  bool local_files_only = false;               ///< use what is there; no request
  std::optional<std::string> token{};          ///< unset: the client's; "" sends none
  /// Files in flight, 1 to 1024 (else errc::invalid_argument).
  std::size_t max_workers = 16;
  /// For the whole snapshot, as `download_options::timeout`.
  std::chrono::steady_clock::duration timeout{};
  /// For the question of which commit the revision names, as `download_options::etag_timeout`. A
  /// Hub that fails or is silent is asked once; again, and more patiently, only where there is no
  /// complete snapshot to fall back on.
  std::optional<std::chrono::milliseconds> etag_timeout{};
  std::string endpoint{};  ///< as `download_options::endpoint`
  /// Of all requests, listings included; else as `download_options::headers`.
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string user_agent{};  ///< as `download_options::user_agent`
  std::shared_ptr<cohub::observer> observer{};
};

}  // namespace cohub
