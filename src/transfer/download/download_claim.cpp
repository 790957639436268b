#include "transfer/download/download_claim.hpp"

#include "cache/sweep.hpp"
#include "io/on_pool.hpp"
#include "transfer/report_event.hpp"

#include <chrono>
#include <utility>

namespace cohub::transfer {

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
  co_await single_flight::join(file->shared->flights, std::move(key), std::move(start),
                               std::move(listeners));
}

awaitable<download_claim> claim(file_request_ptr file, std::filesystem::path lock,
                                std::shared_ptr<cohub::observer> observer) {
  download_claim held;
  held.turn = co_await io::fair_semaphore::acquire(file->shared->open_files, 1);
  cache::lock_watch watch;
  watch.patience = file->shared->lock_patience;
  watch.still_waiting = [file, lock, observer](std::chrono::seconds waited) {
    report_event(observer, transfer_event::kind::lock_wait, file->path,
                 "another process has held " + lock.string() + " for " +
                     std::to_string(waited.count()) + " s");
  };
  held.lock = co_await cache::lock_file(file->shared->pool, std::move(lock), std::move(watch));
  co_return held;
}

awaitable<void> sweep(context_ptr shared, std::vector<std::filesystem::path> folders) {
  std::erase_if(folders, [&](const auto& folder) { return !shared->swept->insert(folder).second; });
  if (folders.empty()) co_return;
  auto work = [folders = std::move(folders)] {
    for (const auto& folder : folders) cache::sweep_temporaries(folder);
  };
  co_await io::on_pool(shared->pool, std::move(work));
}

}  // namespace cohub::transfer
