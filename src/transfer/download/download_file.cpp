#include "transfer/download/download_file.hpp"

#include "io/on_pool.hpp"
#include "io/with_timeout.hpp"
#include "transfer/download/download_cache.hpp"
#include "transfer/download/download_local.hpp"

#include <utility>

namespace cohub::transfer {

namespace {

template <class T>
awaitable<T> within_limit(file_request_ptr file, awaitable<T> work) {
  return io::with_timeout(std::move(work), file->options.timeout,
                          "downloading " + file->path + " of " + file->repo_id);
}

}  // namespace

awaitable<std::filesystem::path> download_file(context_ptr shared, std::string repo_id,
                                               std::string path, download_options options,
                                               std::optional<file_facts> known) {
  const auto file =
      make_file_request(std::move(shared), std::move(repo_id), std::move(path), std::move(options));
  auto work = file->options.local_dir.empty() ? download_to_cache(file, std::move(known))
                                              : download_to_local_dir(file, std::move(known));
  co_return co_await within_limit(file, std::move(work));
}

awaitable<dry_run_file_info> download_file_dry_run(context_ptr shared, std::string repo_id,
                                                   std::string path, download_options options,
                                                   std::optional<file_facts> known) {
  const auto file =
      make_file_request(std::move(shared), std::move(repo_id), std::move(path), std::move(options));
  auto work = file->options.local_dir.empty() ? plan_for_cache(file)
                                              : plan_for_local_dir(file, std::move(known));
  co_return co_await within_limit(file, std::move(work));
}

awaitable<cached_file> try_to_load_from_cache(context_ptr shared, std::string repo_id,
                                              std::string path,
                                              try_to_load_from_cache_options options) {
  download_options place;
  place.type = options.type;
  place.revision = std::move(options.revision);
  place.cache_dir = std::move(options.cache_dir);
  const auto file =
      make_file_request(std::move(shared), std::move(repo_id), std::move(path), std::move(place));
  auto work = [file] { return file->cache.try_to_load(file->options.revision, file->path); };
  co_return co_await io::on_pool(file->shared->pool, std::move(work));
}

}  // namespace cohub::transfer
