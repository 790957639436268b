#include "transfer/snapshot_request.hpp"

#include "cohub/error.hpp"

#include "cache/local_dir.hpp"
#include "hub/repo_path.hpp"

#include <utility>

namespace cohub::transfer {

std::filesystem::path snapshot_request::tree_path(const std::string& of_commit) const {
  if (to_cache()) return cache.layout().tree(of_commit);
  return cache::local_folder(options.local_dir).tree(of_commit);
}

std::vector<tree_entry> select_files(const snapshot_request& wanted,
                                     std::vector<tree_entry> entries) {
  std::vector<tree_entry> kept;
  for (auto& entry : entries) {
    if (entry.type != tree_entry::kind::file) continue;
    if (const auto valid = hub::check_download_path(entry.path); !valid)
      throw error(valid.error(),
                  "the listing of " + wanted.repo_id + " names \"" + entry.path + "\"");
    if (wanted.filter.keeps(entry.path)) kept.push_back(std::move(entry));
  }
  return kept;
}

file_facts facts_of(const snapshot_request& wanted, const tree_entry& entry) {
  file_facts facts;
  facts.commit = wanted.commit;
  facts.etag = entry.lfs ? entry.lfs->sha256 : entry.oid;
  facts.size = entry.lfs ? entry.lfs->size : entry.size;
  return facts;
}

}  // namespace cohub::transfer
