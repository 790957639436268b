#include "transfer/file_request.hpp"

#include "cohub/error.hpp"

#include "cache/sweep.hpp"
#include "http/retry_policy.hpp"
#include "hub/repo_path.hpp"
#include "hub/routes.hpp"
#include "io/on_pool.hpp"
#include "transfer/download_retry.hpp"
#include "transfer/not_cached.hpp"
#include "transfer/progress_reporter.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

/// The second question for a file may take longer: it is the last resort.
constexpr std::chrono::milliseconds patient_limit{60'000};

std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    return e.what();
  }
}

std::chrono::milliseconds etag_timeout(const file_request& file) {
  if (file.shared->imposed_etag_timeout) return *file.shared->imposed_etag_timeout;
  return file.options.etag_timeout.value_or(file.shared->timeouts.metadata);
}

awaitable<file_head> ask(file_request_ptr file, std::chrono::milliseconds limit, bool retry) {
  file_head head;
  http::request question;
  try {
    question = request_for(*file, http::method::head, file->options.revision);
  } catch (const error&) {
    head.failure = std::current_exception();
  }
  if (head.failure) co_return head;
  auto asking = fetch_file_head(
      file->shared, std::move(question),
      "asking for " + file->path + " of " + file->repo_id + " at " + file->options.revision, limit,
      retry);
  head = co_await std::move(asking);
  co_return head;
}

}  // namespace

file_request_ptr make_file_request(context_ptr shared, std::string repo_id, std::string path,
                                   download_options options) {
  options.local_dir = core::expand_home(options.local_dir);
  if (!options.subfolder.empty()) path = options.subfolder + '/' + path;
  if (const auto valid = hub::check_download_path(path); !valid)
    throw error(valid.error(), "the path \"" + path + "\" in " + repo_id);
  if (const auto valid = hub::check_download_path(options.revision); !valid)
    throw error(valid.error(), "the revision \"" + options.revision + "\" of " + repo_id);
  if (options.connections == 0 || (options.chunk_size > 0 && options.chunk_size < 64 * 1024))
    throw error(
        errc::invalid_argument,
        "download_options: connections must be at least 1 and chunk_size 0 or at least 65536");
  cache::repo_layout layout(shared->cache_for(options.cache_dir), options.type, repo_id);
  const auto links =
      shared->disable_symlinks ? cache::link_support::never : cache::link_support::probe;
  hub_access_options own;
  own.token = options.token;
  own.endpoint = options.endpoint;
  own.headers = options.headers;
  own.user_agent = options.user_agent;
  auto access = make_hub_access(*shared, std::move(own));
  auto observer = shared->observer_for(options.observer);
  auto total = shared->totals->of(observer);
  return std::make_shared<const file_request>(file_request{
      std::move(shared), std::move(repo_id), std::move(path), std::move(options), std::move(access),
      std::move(observer), std::move(total), cache::repo_cache(std::move(layout), links)});
}

void tell(const file_request& file, transfer_event::kind what, std::string detail) {
  report_event(file.observer, what, file.path, detail);
  report_event(file.shared->event_log, what, file.path, std::move(detail));
}

http::request request_for(const file_request& file, http::method verb,
                          const std::string& revision) {
  const auto url = hub::routes::resolve(file.access.endpoint, file.options.type, file.repo_id,
                                        revision, file.path);
  return hub_request(*file.shared, file.access, verb, url);
}

bool may_pass(const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    return is_unreachable(e.code()) || http::is_transient_status(e.http().status);
  } catch (const boost::system::system_error& e) {
    return is_unreachable(e.code());
  } catch (...) {
    return false;
  }
}

std::chrono::milliseconds patient(std::chrono::milliseconds limit) noexcept {
  return limit.count() == 0 ? limit : std::max(limit, patient_limit);
}

awaitable<file_head> ask_hub(file_request_ptr file) {
  if (file->options.local_files_only) {
    file_head nothing;
    nothing.failure = std::make_exception_ptr(
        error(errc::offline, "local_files_only is set: no request is made"));
    co_return nothing;
  }
  auto asking = ask(file, etag_timeout(*file), false);
  auto head = co_await std::move(asking);
  co_return head;
}

awaitable<file_head> ask_hub_again(file_request_ptr file, file_head failed) {
  if (file->options.force_download || !may_pass(failed.failure)) co_return failed;
  tell(*file, transfer_event::kind::retry, text_of(failed.failure));
  auto asking = ask(file, patient(etag_timeout(*file)), true);
  auto head = co_await std::move(asking);
  co_return head;
}

void throw_unavailable(const file_request& file, const std::exception_ptr& failure) {
  if (file.options.force_download) {
    if (!file.options.local_files_only) std::rethrow_exception(failure);
    throw error(errc::invalid_argument,
                "force_download and local_files_only exclude each other: " + file.path);
  }
  throw_not_cached(file.path + " of " + file.repo_id + " at " + file.options.revision, failure);
}

awaitable<void> fetch_content(file_request_ptr file, file_facts facts,
                              std::filesystem::path partial_stem, std::filesystem::path destination,
                              std::shared_ptr<cohub::observer> observer,
                              std::filesystem::path outdated) {
  auto request = request_for(*file, http::method::get, facts.commit);
  content_description what;
  what.name = file->path;
  what.resolve = std::move(request.url);
  what.location = std::move(facts.location);
  what.credentials = credentials_of(request);
  what.size = facts.size;
  what.etag = std::move(facts.etag);
  content_settings settings;
  settings.connections = file->options.connections;
  settings.chunk_size = file->options.chunk_size;
  settings.observer = std::move(observer);
  settings.outdated = std::move(outdated);
  auto downloading = download_content(file->shared, std::move(what), std::move(partial_stem),
                                      std::move(destination), std::move(settings));
  co_await std::move(downloading);
}

awaitable<void> sweep(context_ptr shared, std::vector<std::filesystem::path> folders) {
  std::erase_if(folders, [&](const auto& folder) { return !shared->swept->insert(folder).second; });
  if (folders.empty()) co_return;
  auto work = [folders = std::move(folders)] {
    for (const auto& folder : folders) cache::sweep_temporaries(folder);
  };
  auto sweeping = io::on_pool(shared->pool, std::move(work));
  co_await std::move(sweeping);
}

awaitable<download_claim> claim(file_request_ptr file, std::filesystem::path lock,
                                std::shared_ptr<cohub::observer> observer) {
  download_claim held;
  auto waiting = memory_budget::acquire(file->shared->open_files, 1);
  held.turn = co_await std::move(waiting);
  cache::lock_watch watch;
  watch.patience = file->shared->lock_patience;
  watch.still_waiting = [file, lock, observer](std::chrono::seconds waited) {
    report_event(observer, transfer_event::kind::lock_wait, file->path,
                 "another process has held " + lock.string() + " for " +
                     std::to_string(waited.count()) + " s");
  };
  auto locking = cache::lock_file(file->shared->pool, std::move(lock), std::move(watch));
  held.lock = co_await std::move(locking);
  co_return held;
}

awaitable<void> fetch_once(file_request_ptr file, std::filesystem::path destination,
                           std::string etag, single_flight::work start) {
  // Forced downloads are apart, since the others may find the content there and fetch nothing; so
  // are those that ask another Hub, or as somebody else, whose failures need not be the same. Where
  // two of them meet, the lock on the file lets one wait for the other.
  std::string key = destination.string();
  key += '\n' + etag;
  key += file->options.force_download ? "\nforced\n" : "\n\n";
  key += file->access.token + '\n' + file->access.endpoint;
  for (const auto& [name, value] : file->access.headers) key += '\n' + name + ':' + value;
  std::vector<transfer_listener> listeners(2);
  for (auto& listener : listeners) listener.file = file->path;
  listeners[0].observer = file->observer;
  listeners[0].total = file->total;
  listeners[1].observer = file->shared->event_log;
  auto joining = single_flight::join(file->shared->flights, std::move(key), std::move(start),
                                     std::move(listeners));
  co_await std::move(joining);
}

}  // namespace cohub::transfer
