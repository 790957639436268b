#include "transfer/snapshot/snapshot_listing.hpp"

#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "cache/local_dir.hpp"
#include "cache/tree_cache.hpp"
#include "io/on_pool.hpp"
#include "transfer/download/download_content.hpp"
#include "transfer/tree_listing.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <stop_token>
#include <utility>

namespace cohub::transfer {

namespace {

/// Files that one job of the pool looks up in the cache.
constexpr std::size_t lookup_step = 1024;

/// What the cache had before this snapshot: what is not there need not be looked for file by file.
struct cache_contents {
  bool snapshot = false;
  bool blobs = false;
};

cache_contents look_into(const cache::repo_layout& layout, const std::string& commit) {
  std::error_code ignored;
  cache_contents there;
  there.snapshot = std::filesystem::exists(layout.snapshot(commit), ignored);
  there.blobs = !std::filesystem::is_empty(layout.blobs(), ignored) && !ignored;
  return there;
}

enum class presence { cached, to_copy, missing };

/// Whether the cache has the file, if need be by a blob that another revision brought. One that
/// must be copied, and takes long, is left to whoever fetches; so is one that another process has
/// locked, and may be about to delete.
presence look_up(const snapshot_request& wanted, const snapshot_file& file,
                 const cache_contents& there) {
  if (there.snapshot && wanted.cache.find_file(wanted.commit, file.path, file.size))
    return presence::cached;
  if (!there.blobs || !wanted.cache.has_blob(file.etag, file.size)) return presence::missing;
  const auto lock = cache::appearance_lock::attempt(wanted.cache.layout().lock(file.etag));
  if (!lock || !wanted.cache.has_blob(file.etag, file.size)) return presence::missing;
  if (!wanted.cache.try_link_blob(wanted.commit, file.path, file.etag, small_size))
    return presence::to_copy;
  return lock->undisturbed() ? presence::cached : presence::missing;
}

struct looked_up {
  std::vector<snapshot_file> missing{};
  std::vector<snapshot_file> to_copy{};
  std::size_t cached = 0;
};

looked_up look_up_all(const snapshot_request& wanted, std::vector<snapshot_file> files,
                      const cache_contents& there, const std::stop_token& stop) {
  looked_up found;
  for (auto& file : files) {
    io::throw_if_stopped(stop);
    const auto what = look_up(wanted, file, there);
    if (what == presence::cached)
      ++found.cached;
    else
      (what == presence::to_copy ? found.to_copy : found.missing).push_back(std::move(file));
  }
  return found;
}

/// Finds what is missing, and hands it on.
class missing_files {
 public:
  missing_files(snapshot_ptr wanted, bounded_queue<snapshot_file>& queue,
                std::vector<std::string>& paths)
      : wanted_(std::move(wanted)), queue_(queue), paths_(paths) {}

  awaitable<void> open() {
    if (!looks_up()) co_return;
    auto work = [wanted = wanted_] { return look_into(wanted->cache.layout(), wanted->commit); };
    there_ = co_await io::on_pool(wanted_->shared->pool, std::move(work));
  }

  awaitable<void> offer(std::vector<snapshot_file> files) {
    for (const auto& file : files) paths_.push_back(file.path);
    for (std::size_t begin = 0; begin < files.size(); begin += lookup_step) {
      const auto end = std::min(begin + lookup_step, files.size());
      std::vector<snapshot_file> step(
          std::make_move_iterator(files.begin() + static_cast<std::ptrdiff_t>(begin)),
          std::make_move_iterator(files.begin() + static_cast<std::ptrdiff_t>(end)));
      if (looks_up()) {
        auto work = [wanted = wanted_, there = there_,
                     step = std::move(step)](const std::stop_token& stop) mutable {
          return look_up_all(*wanted, std::move(step), there, stop);
        };
        auto found = co_await io::on_pool(wanted_->shared->pool, std::move(work));
        cached_ += found.cached;
        step = std::move(found.missing);
        announce(step);
        announce(found.to_copy);
        std::move(found.to_copy.begin(), found.to_copy.end(), std::back_inserter(step));
      }
      co_await queue_.push_all(std::move(step));
    }
  }

  void close() {
    queue_.close();
    if (cached_ > 0)
      tell(*wanted_, transfer_event::kind::cache_hit, {},
           std::to_string(cached_) + " files of " + wanted_->repo_id + " are in the cache");
  }

 private:
  /// A local folder is looked at file by file, where its metadata is read anyway.
  bool looks_up() const { return wanted_->to_cache() && !wanted_->options.force_download; }

  void announce(const std::vector<snapshot_file>& missing) const {
    if (!wanted_->total) return;
    std::uint64_t bytes = 0;
    for (const auto& file : missing) bytes += file.size;
    wanted_->total->announce(missing.size(), bytes);
  }

  snapshot_ptr wanted_;
  bounded_queue<snapshot_file>& queue_;
  std::vector<std::string>& paths_;
  cache_contents there_{};
  std::size_t cached_ = 0;
};

/// Keeps a listing; a cache that cannot be written to costs a request the next time.
awaitable<void> keep(snapshot_ptr wanted, cache::tree_text listing) {
  auto work = [wanted, listing = std::move(listing)] {
    try {
      if (!wanted->to_cache()) cache::local_folder(wanted->options.local_dir).prepare_trees();
      cache::write_tree(wanted->tree_path(wanted->commit), listing);
    } catch (const error&) {
    }
  };
  co_await io::on_pool(wanted->shared->pool, std::move(work));
}

/// The files that a stored listing names, if there is one.
awaitable<std::optional<std::vector<snapshot_file>>> read_stored(snapshot_ptr wanted) {
  auto reading = [wanted](const std::stop_token& stop) {
    std::optional<std::vector<snapshot_file>> files;
    const auto entries = cache::read_tree(wanted->tree_path(wanted->commit));
    if (entries) files = select_files(*wanted, *entries, stop);
    return files;
  };
  co_return co_await io::on_pool(wanted->shared->pool, std::move(reading));
}

listing<tree_entry> list_tree(const snapshot_request& wanted) {
  list_repo_tree_options options;
  options.type = wanted.options.type;
  options.revision = wanted.commit;
  options.recursive = true;
  return list_repo_tree(wanted.shared, wanted.access, wanted.repo_id, std::move(options));
}

}  // namespace

awaitable<std::vector<snapshot_file>> list_all(snapshot_ptr wanted) {
  auto stored = co_await read_stored(wanted);
  if (stored) co_return std::move(*stored);
  auto pages = list_tree(*wanted);
  const auto entries = co_await pages.all();
  auto work = [wanted, &entries](const std::stop_token& stop) {
    return select_files(*wanted, entries, stop);
  };
  co_return co_await io::on_pool(wanted->shared->pool, std::move(work));
}

awaitable<void> list_missing(snapshot_ptr wanted, bounded_queue<snapshot_file>& queue,
                             std::vector<std::string>& paths) {
  missing_files missing(wanted, queue, paths);
  co_await missing.open();
  std::optional<std::vector<snapshot_file>> stored;
  if (!wanted->options.force_download) stored = co_await read_stored(wanted);
  if (stored) {
    co_await missing.offer(std::move(*stored));
    missing.close();
    co_return;
  }
  auto pages = list_tree(*wanted);
  cache::tree_text all;
  for (auto page = co_await pages.next_page(); page; page = co_await pages.next_page()) {
    auto offering = missing.offer(select_files(*wanted, *page));
    all.add(*page);
    page.emplace();  // it is held as text now
    co_await std::move(offering);
  }
  missing.close();
  if (all.empty()) co_return;  // it costs little, and may be a mistake of the moment
  co_await keep(wanted, std::move(all));
}

}  // namespace cohub::transfer
