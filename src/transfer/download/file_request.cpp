#include "transfer/download/file_request.hpp"

#include "cohub/error.hpp"

#include "hub/repo_path.hpp"
#include "hub/routes.hpp"
#include "transfer/report_event.hpp"

#include <utility>

namespace cohub::transfer {

file_request_ptr make_file_request(context_ptr shared, std::string repo_id, std::string path,
                                   download_options options) {
  options.local_dir = core::expand_home(options.local_dir);
  if (!options.subfolder.empty()) path = options.subfolder + '/' + path;
  if (const auto valid = hub::check_download_path(path); !valid)
    throw error(valid.error(), "the path \"" + path + "\" in " + repo_id);
  if (const auto valid = hub::check_download_path(options.revision); !valid)
    throw error(valid.error(), "the revision \"" + options.revision + "\" of " + repo_id);
  if (options.connections == 0 || (options.chunk_size > 0 && options.chunk_size < smallest_chunk))
    throw error(
        errc::invalid_argument,
        "download_options: connections must be at least 1 and chunk_size 0 or at least 65536");
  auto cache = shared->repo_cache_for(options.type, repo_id, options.cache_dir);
  auto access = make_hub_access(*shared, access_options_of(options));
  auto observer = shared->observer_for(options.observer);
  auto listener = shared->listener_for(options.observer);
  auto total = shared->totals->of(observer);
  return std::make_shared<const file_request>(file_request{
      std::move(shared), std::move(repo_id), std::move(path), std::move(options), std::move(access),
      std::move(observer), std::move(listener), std::move(total), std::move(cache)});
}

void tell(const file_request& file, transfer_event::kind what, std::string detail) {
  report_event(file.listener, what, file.path, std::move(detail));
}

http::request request_for(const file_request& file, http::method verb,
                          const std::string& revision) {
  const auto url = hub::routes::resolve(file.access.endpoint, file.options.type, file.repo_id,
                                        revision, file.path);
  return hub_request(*file.shared, file.access, verb, url);
}

content_description describe_content(const file_request& file, file_facts facts) {
  auto request = request_for(file, http::method::get, facts.commit);
  content_description what;
  what.name = file.path;
  what.resolve = std::move(request.url);
  what.location = std::move(facts.location);
  what.credentials = credentials_of(request);
  what.size = facts.size;
  what.etag = std::move(facts.etag);
  return what;
}

content_settings content_settings_of(const file_request& file,
                                     std::shared_ptr<cohub::observer> observer) {
  content_settings settings;
  settings.connections = file.options.connections;
  settings.chunk_size = file.options.chunk_size;
  settings.observer = std::move(observer);
  settings.afresh = file.options.force_download;
  return settings;
}

}  // namespace cohub::transfer
