#pragma once

#include "cohub/download.hpp"
#include "cohub/repository.hpp"

#include "cache/repo_cache.hpp"
#include "core/glob.hpp"
#include "transfer/context.hpp"
#include "transfer/download/file_head.hpp"
#include "transfer/hub_access.hpp"
#include "transfer/progress_total.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace cohub::transfer {

/// A snapshot that was asked for.
struct snapshot_request {
  context_ptr shared{};
  std::string repo_id{};
  snapshot_download_options options{};
  hub_access access{};
  std::shared_ptr<cohub::observer> observer{};  ///< that its total is of
  std::shared_ptr<cohub::observer> listener{};  ///< the observer, and the log
  core::path_filter filter{};
  cache::repo_cache cache;
  std::uint64_t began = 0;                  ///< after so many arrivals of small blobs
  std::string commit{};                     ///< that the revision names, once it is known
  std::shared_ptr<progress_total> total{};  ///< of its observer; null: nobody listens

  bool to_cache() const noexcept { return options.local_dir.empty(); }
  /// Where the listing of a commit is kept.
  std::filesystem::path tree_path(const std::string& of_commit) const;
};
using snapshot_ptr = std::shared_ptr<const snapshot_request>;

/// Checks names and options.
/// @throws error  errc::invalid_repository_id, errc::invalid_path, errc::invalid_argument
std::shared_ptr<snapshot_request> make_snapshot_request(context_ptr shared, std::string repo_id,
                                                        snapshot_download_options options);

/// What a download needs to know of a listing's entry.
struct snapshot_file {
  std::string path{};
  std::string etag{};      ///< the sha256 of a large file, the git id of another
  std::uint64_t size = 0;  ///< in bytes
};

/// The files of a listing that the patterns keep. One that could leave its folder is refused,
/// wanted or not: such a listing is not to be trusted.
/// @throws error  errc::invalid_path
std::vector<snapshot_file> select_files(const snapshot_request& wanted,
                                        const std::vector<tree_entry>& entries,
                                        const std::stop_token& stop = {});

/// What the Hub would tell of a file if it were asked.
file_facts facts_of(const snapshot_request& wanted, const snapshot_file& file);

/// How one of its files is downloaded by itself.
download_options file_options(const snapshot_request& wanted);

/// Tells the observer and the log what happened to a file, or to the whole.
void tell(const snapshot_request& wanted, transfer_event::kind what, std::string file,
          std::string detail = {});

}  // namespace cohub::transfer
