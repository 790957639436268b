#include "transfer/file_request.hpp"

#include "cohub/error.hpp"

#include "core/url.hpp"
#include "hub/repo_path.hpp"
#include "hub/routes.hpp"
#include "transfer/api_call.hpp"
#include "transfer/download_retry.hpp"
#include "transfer/progress_reporter.hpp"

#include <algorithm>
#include <utility>

namespace cohub::transfer {

namespace {

/// The second question for a file may take longer: it is the last resort.
constexpr std::chrono::milliseconds patient_limit{60'000};

boost::system::error_code code_of(const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code();
  } catch (...) {
    return {};
  }
}

std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    return e.what();
  }
}

bool may_pass(boost::system::error_code code) noexcept {
  return is_transient(code) || code == errc::server_failure || code == errc::rate_limited;
}

}  // namespace

file_request_ptr make_file_request(context_ptr shared, std::string repo_id, std::string path,
                                   download_options options) {
  if (!options.subfolder.empty()) path = options.subfolder + '/' + path;
  if (const auto valid = hub::check_download_path(path); !valid)
    throw error(valid.error(), "the path \"" + path + "\" in " + repo_id);
  if (options.connections == 0 || options.chunk_size < 64 * 1024)
    throw error(errc::invalid_argument,
                "download_options: connections must be at least 1 and chunk_size at least 65536");
  cache::repo_layout layout(options.cache_dir.empty() ? shared->cache_dir : options.cache_dir,
                            options.type, repo_id);
  const auto links =
      shared->disable_symlinks ? cache::link_support::never : cache::link_support::probe;
  auto token = shared->token_for(options.token);
  auto observer = shared->observer_for(options.observer);
  return std::make_shared<const file_request>(file_request{
      std::move(shared), std::move(repo_id), std::move(path), std::move(options), std::move(token),
      std::move(observer), cache::repo_cache(std::move(layout), links)});
}

awaitable<file_head> ask_hub(file_request_ptr file) {
  if (file->options.local_files_only) {
    file_head nothing;
    nothing.failure = std::make_exception_ptr(
        error(errc::offline, "local_files_only is set: no request is made"));
    co_return nothing;
  }
  auto asking =
      fetch_file_head(file->shared, file->options.type, file->repo_id, file->options.revision,
                      file->path, file->token, file->shared->timeouts.metadata, false);
  auto head = co_await std::move(asking);
  co_return head;
}

awaitable<file_head> ask_hub_again(file_request_ptr file, file_head failed) {
  if (file->options.force_download || !may_pass(code_of(failed.failure))) co_return failed;
  report_event(file->observer, transfer_event::kind::retry, file->path, text_of(failed.failure));
  const auto own = file->shared->timeouts.metadata;
  const auto limit = own.count() == 0 ? own : std::max(own, patient_limit);
  auto asking = fetch_file_head(file->shared, file->options.type, file->repo_id,
                                file->options.revision, file->path, file->token, limit, true);
  auto head = co_await std::move(asking);
  co_return head;
}

bool may_fall_back(const std::exception_ptr& failure) noexcept {
  const auto code = code_of(failure);
  return code != errc::entry_not_found && code != errc::revision_not_found;
}

void throw_unavailable(const file_request& file, const std::exception_ptr& failure) {
  const auto code = code_of(failure);
  if (file.options.force_download) {
    if (!file.options.local_files_only) std::rethrow_exception(failure);
    throw error(errc::invalid_argument,
                "force_download and local_files_only exclude each other: " + file.path);
  }
  if (code == errc::offline || is_unreachable(code))
    throw error(errc::local_entry_not_found,
                file.path + " of " + file.repo_id + " at " + file.options.revision +
                    " is not in the cache, and was not fetched (" + text_of(failure) + ")");
  std::rethrow_exception(failure);
}

awaitable<void> fetch_content(file_request_ptr file, file_facts facts,
                              std::filesystem::path partial_stem, std::filesystem::path destination,
                              std::shared_ptr<cohub::observer> observer) {
  const auto url = hub::routes::resolve(file->shared->endpoint, file->options.type, file->repo_id,
                                        facts.commit, file->path);
  auto request = hub_request(*file->shared, http::method::get, url, file->token);
  content_description what;
  what.name = file->path;
  what.resolve = std::move(request.url);
  what.location = std::move(facts.location);
  what.credentials = std::move(request.headers);
  what.size = facts.size;
  what.etag = std::move(facts.etag);
  content_settings settings;
  settings.connections = file->options.connections;
  settings.chunk_size = file->options.chunk_size;
  settings.observer = std::move(observer);
  auto downloading = download_content(file->shared, std::move(what), std::move(partial_stem),
                                      std::move(destination), std::move(settings));
  co_await std::move(downloading);
}

awaitable<void> fetch_once(file_request_ptr file, std::filesystem::path destination,
                           std::string etag, single_flight::work start) {
  // Forced downloads are apart, since the others may find the content there and fetch nothing; so
  // are those with another token, whose failures need not be the same. Where two of them meet, the
  // lock on the file lets one wait for the other.
  std::string key = destination.string();
  key += '\n' + etag;
  key += file->options.force_download ? "\nforced\n" : "\n\n";
  key += file->token;
  auto joining = single_flight::join(file->shared->flights, std::move(key), std::move(start),
                                     file->observer, file->path);
  co_await std::move(joining);
}

}  // namespace cohub::transfer
