#include "transfer/snapshot/snapshot_request.hpp"

#include "cohub/error.hpp"

#include "cache/local_dir.hpp"
#include "hub/repo_path.hpp"
#include "io/on_pool.hpp"
#include "transfer/report_event.hpp"

#include <utility>

namespace cohub::transfer {

std::shared_ptr<snapshot_request> make_snapshot_request(context_ptr shared, std::string repo_id,
                                                        snapshot_download_options options) {
  options.local_dir = core::expand_home(options.local_dir);
  // Each has a coroutine from the start.
  constexpr std::size_t most_workers = 1024;
  if (options.max_workers == 0 || options.max_workers > most_workers)
    throw error(errc::invalid_argument, "snapshot_download_options::max_workers must be 1 to " +
                                            std::to_string(most_workers));
  if (const auto valid = hub::check_download_path(options.revision); !valid)
    throw error(valid.error(), "the revision \"" + options.revision + "\"");
  auto cache = shared->repo_cache_for(options.type, repo_id, options.cache_dir);
  core::path_filter filter(options.allow_patterns, options.ignore_patterns);
  auto access = make_hub_access(*shared, access_options_of(options));
  auto observer = shared->observer_for(options.observer);
  auto listener = shared->listener_for(options.observer);
  return std::make_shared<snapshot_request>(snapshot_request{std::move(shared),
                                                             std::move(repo_id),
                                                             std::move(options),
                                                             std::move(access),
                                                             std::move(observer),
                                                             std::move(listener),
                                                             std::move(filter),
                                                             std::move(cache),
                                                             {},
                                                             {}});
}

std::filesystem::path snapshot_request::tree_path(const std::string& of_commit) const {
  if (to_cache()) return cache.layout().tree(of_commit);
  return cache::local_folder(options.local_dir).tree(of_commit);
}

std::vector<snapshot_file> select_files(const snapshot_request& wanted,
                                        const std::vector<tree_entry>& entries,
                                        const std::stop_token& stop) {
  std::vector<snapshot_file> kept;
  for (const auto& entry : entries) {
    io::throw_if_stopped(stop);
    if (entry.type != tree_entry::kind::file) continue;
    if (const auto valid = hub::check_download_path(entry.path); !valid)
      throw error(valid.error(),
                  "the listing of " + wanted.repo_id + " names \"" + entry.path + "\"");
    if (!wanted.filter.keeps(entry.path)) continue;
    snapshot_file file;
    file.path = entry.path;
    file.etag = entry.lfs ? entry.lfs->sha256 : entry.oid;
    file.size = entry.lfs ? entry.lfs->size : entry.size;
    kept.push_back(std::move(file));
  }
  return kept;
}

file_facts facts_of(const snapshot_request& wanted, const snapshot_file& file) {
  file_facts facts;
  facts.commit = wanted.commit;
  facts.etag = file.etag;
  facts.size = file.size;
  return facts;
}

download_options file_options(const snapshot_request& wanted) {
  download_options options;
  options.type = wanted.options.type;
  options.revision = wanted.commit;
  options.cache_dir = wanted.options.cache_dir;
  options.local_dir = wanted.options.local_dir;
  options.force_download = wanted.options.force_download;
  options.token = wanted.options.token;
  options.etag_timeout = wanted.options.etag_timeout;
  options.endpoint = wanted.options.endpoint;
  options.headers = wanted.options.headers;
  options.user_agent = wanted.options.user_agent;
  options.observer = wanted.options.observer;
  return options;
}

void tell(const snapshot_request& wanted, transfer_event::kind what, std::string file,
          std::string detail) {
  report_event(wanted.listener, what, std::move(file), std::move(detail));
}

}  // namespace cohub::transfer
