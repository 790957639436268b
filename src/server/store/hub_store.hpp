#pragma once

#include "cohub/local_hub.hpp"

#include "server/store/discussion_store.hpp"
#include "server/store/multipart_store.hpp"
#include "server/store/object_store.hpp"
#include "server/store/private_file.hpp"
#include "server/store/repo_store.hpp"
#include "server/store/signed_url.hpp"
#include "server/store/token_store.hpp"
#include "server/store/weights_cache.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

namespace cohub::server {

/// Everything that a Hub keeps on disk. Blocking; safe from several threads.
class hub_store {
 public:
  /// Opens or makes the store under `config.root`, and removes what a crash left half-written.
  explicit hub_store(const local_hub_config& config);

  const local_hub_config config;

 private:
  folder_lock lock_;  // taken before anything else is touched

 public:
  const std::filesystem::path temporary;  ///< a folder for files not yet in place
  token_store tokens;
  repo_store repos;
  object_store objects;
  multipart_store uploads;
  url_signer signer;
  weights_cache weights;
  /// Held shared by who stores a large object or gives it to a repository, until both are done; and
  /// alone by who deletes one.
  std::shared_mutex objects_in_use;

  /// Size of a large object that the repository has.
  std::optional<std::uint64_t> object_size(repo_type type, const std::string& id,
                                           const std::string& sha256) const;

  discussion_store discussions_of(repo_type type, const std::string& id) const {
    return {repos.path_of(type, id), temporary};
  }

  /// Deletes those of the objects that no repository has. With `objects_in_use` held alone.
  void remove_unheld(const std::vector<std::string>& sha256s);

  /// Makes every signed url worthless, for good.
  void renew_secret();
};

}  // namespace cohub::server
