#include "transfer/snapshot_listing.hpp"

#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "cache/tree_cache.hpp"
#include "io/on_pool.hpp"
#include "transfer/download_content.hpp"
#include "transfer/tree_listing.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

namespace cohub::transfer {

namespace {

/// Files that one job of the pool looks up in the cache.
constexpr std::size_t lookup_step = 1024;

/// What the cache had before this snapshot: what is not there need not be looked for file by file.
struct cache_contents {
  bool snapshot = false;
  bool blobs = false;
  bool locks = false;  // their folder was made just now
};

cache_contents look_into(const cache::repo_layout& layout, const std::string& commit) {
  std::error_code ignored;
  cache_contents there;
  there.snapshot = std::filesystem::exists(layout.snapshot(commit), ignored);
  there.blobs = std::filesystem::exists(layout.blobs(), ignored);
  return there;
}

enum class presence { cached, to_copy, missing };

/// Whether the cache has the file, if need be by a blob that another revision brought. One that
/// must be copied, and takes long, is left to whoever fetches; so is one that another process has
/// locked, and may be about to delete.
presence look_up(const snapshot_request& wanted, const tree_entry& entry, cache_contents& there) {
  if (there.snapshot && wanted.cache.find_file(wanted.commit, entry.path)) return presence::cached;
  if (!there.blobs) return presence::missing;
  const auto etag = facts_of(wanted, entry).etag;
  if (!wanted.cache.has_blob(etag)) return presence::missing;
  if (!there.locks) wanted.cache.prepare();
  there.locks = true;
  const auto lock = cache::try_lock_file(wanted.cache.layout().lock(etag));
  if (!lock || !wanted.cache.has_blob(etag)) return presence::missing;
  const auto pointer = wanted.cache.try_link_blob(wanted.commit, entry.path, etag, small_size);
  return pointer ? presence::cached : presence::to_copy;
}

struct looked_up {
  std::vector<tree_entry> missing{};
  std::vector<tree_entry> to_copy{};
  std::size_t cached = 0;
};

looked_up look_up_all(const snapshot_request& wanted, std::vector<tree_entry> entries,
                      cache_contents there) {
  looked_up found;
  for (auto& entry : entries) {
    const auto what = look_up(wanted, entry, there);
    if (what == presence::cached)
      ++found.cached;
    else
      (what == presence::to_copy ? found.to_copy : found.missing).push_back(std::move(entry));
  }
  return found;
}

/// Finds what is missing, and hands it on.
class missing_files {
 public:
  missing_files(snapshot_ptr wanted, bounded_queue<tree_entry>& queue)
      : wanted_(std::move(wanted)), queue_(queue) {}

  awaitable<void> open() {
    if (!looks_up()) co_return;
    auto work = [wanted = wanted_] { return look_into(wanted->cache.layout(), wanted->commit); };
    auto looking = io::on_pool(wanted_->shared->pool, std::move(work));
    there_ = co_await std::move(looking);
  }

  awaitable<void> offer(std::vector<tree_entry> entries) {
    entries = select_files(*wanted_, std::move(entries));
    for (std::size_t begin = 0; begin < entries.size(); begin += lookup_step) {
      const auto end = std::min(begin + lookup_step, entries.size());
      std::vector<tree_entry> step(
          std::make_move_iterator(entries.begin() + static_cast<std::ptrdiff_t>(begin)),
          std::make_move_iterator(entries.begin() + static_cast<std::ptrdiff_t>(end)));
      if (looks_up()) {
        auto work = [wanted = wanted_, there = there_, step = std::move(step)]() mutable {
          return look_up_all(*wanted, std::move(step), there);
        };
        auto looking = io::on_pool(wanted_->shared->pool, std::move(work));
        auto found = co_await std::move(looking);
        cached_ += found.cached;
        step = std::move(found.missing);
        announce(step);
        std::move(found.to_copy.begin(), found.to_copy.end(), std::back_inserter(step));
      }
      auto handing = queue_.push(std::move(step));
      co_await std::move(handing);
    }
  }

  void close() {
    queue_.close();
    if (cached_ > 0)
      tell(*wanted_, transfer_event::kind::cache_hit, wanted_->repo_id,
           std::to_string(cached_) + " files are in the cache");
  }

 private:
  /// A local folder is looked at file by file, where its metadata is read anyway.
  bool looks_up() const { return wanted_->to_cache() && !wanted_->options.force_download; }

  void announce(const std::vector<tree_entry>& missing) const {
    if (!wanted_->total) return;
    std::uint64_t bytes = 0;
    for (const auto& entry : missing) bytes += facts_of(*wanted_, entry).size;
    wanted_->total->announce(missing.size(), bytes);
  }

  snapshot_ptr wanted_;
  bounded_queue<tree_entry>& queue_;
  cache_contents there_{};
  std::size_t cached_ = 0;
};

/// Keeps a listing; a cache that cannot be written to costs a request the next time.
awaitable<void> keep(snapshot_ptr wanted, std::vector<tree_entry> entries) {
  auto work = [wanted, entries = std::move(entries)] {
    try {
      cache::write_tree(wanted->tree_path(wanted->commit), entries);
    } catch (const error&) {
    }
  };
  auto keeping = io::on_pool(wanted->shared->pool, std::move(work));
  co_await std::move(keeping);
}

awaitable<std::optional<std::vector<tree_entry>>> read_stored(snapshot_ptr wanted) {
  auto reading = [wanted] { return cache::read_tree(wanted->tree_path(wanted->commit)); };
  auto looking = io::on_pool(wanted->shared->pool, std::move(reading));
  auto stored = co_await std::move(looking);
  co_return stored;
}

listing<tree_entry> ask_hub(const snapshot_request& wanted) {
  list_repo_tree_options options;
  options.type = wanted.options.type;
  options.revision = wanted.commit;
  options.recursive = true;
  return list_repo_tree(wanted.shared, wanted.access, wanted.repo_id, std::move(options));
}

}  // namespace

awaitable<std::vector<tree_entry>> list_all(snapshot_ptr wanted) {
  auto entries = co_await read_stored(wanted);
  if (!entries) {
    auto pages = ask_hub(*wanted);
    entries = co_await pages.all();
  }
  co_return select_files(*wanted, std::move(*entries));
}

awaitable<void> list_missing(snapshot_ptr wanted, bounded_queue<tree_entry>& queue) {
  missing_files missing(wanted, queue);
  auto opening = missing.open();
  co_await std::move(opening);
  auto stored = co_await read_stored(wanted);
  if (stored) {
    auto offering = missing.offer(std::move(*stored));
    co_await std::move(offering);
    missing.close();
    co_return;
  }
  auto pages = ask_hub(*wanted);
  std::vector<tree_entry> all;
  for (auto page = co_await pages.next_page(); page; page = co_await pages.next_page()) {
    all.insert(all.end(), page->begin(), page->end());
    auto offering = missing.offer(std::move(*page));
    co_await std::move(offering);
  }
  missing.close();
  auto keeping = keep(wanted, std::move(all));
  co_await std::move(keeping);
}

}  // namespace cohub::transfer
