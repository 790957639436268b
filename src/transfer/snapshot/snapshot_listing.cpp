#include "transfer/snapshot/snapshot_listing.hpp"

#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "cache/local_dir.hpp"
#include "cache/tree_writer.hpp"
#include "io/on_pool.hpp"
#include "transfer/download/download_content.hpp"
#include "transfer/tree_listing.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
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
  missing_files(snapshot_ptr wanted, bounded_queue<snapshot_file>& queue)
      : wanted_(std::move(wanted)), queue_(queue) {}

  awaitable<void> open() {
    if (!looks_up()) co_return;
    auto work = [wanted = wanted_] { return look_into(wanted->cache.layout(), wanted->commit); };
    there_ = co_await io::on_pool(wanted_->shared->pool, std::move(work));
  }

  awaitable<void> offer(std::vector<snapshot_file> files) {
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
  cache_contents there_{};
  std::size_t cached_ = 0;
};

using reader_ptr = std::shared_ptr<cache::tree_reader>;
using writer_ptr = std::shared_ptr<cache::tree_writer>;

/// The listing that is kept of the commit; null if there is none. Blocking.
reader_ptr open_stored(const snapshot_request& wanted) {
  auto opened = cache::tree_reader::open(wanted.tree_path(wanted.commit));
  return opened ? std::make_shared<cache::tree_reader>(std::move(*opened)) : nullptr;
}

/// The next files of a stored listing that the patterns keep; nothing at its end.
awaitable<std::optional<std::vector<snapshot_file>>> read_some(snapshot_ptr wanted,
                                                               reader_ptr stored) {
  auto reading = [wanted, stored](const std::stop_token& stop) {
    std::optional<std::vector<snapshot_file>> files;
    const auto entries = stored->next();
    if (entries) files = select_files(*wanted, *entries, stop);
    return files;
  };
  co_return co_await io::on_pool(wanted->shared->pool, std::move(reading));
}

/// Hands on the files of the stored listing; null if there is none, or it is damaged, after which
/// the Hub is asked. `missing` outlives the call.
awaitable<reader_ptr> offer_stored(snapshot_ptr wanted, missing_files& missing) {
  auto opening = [wanted] { return open_stored(*wanted); };
  const auto stored = co_await io::on_pool(wanted->shared->pool, std::move(opening));
  while (stored) {
    std::optional<std::vector<snapshot_file>> files;
    try {
      files = co_await read_some(wanted, stored);
    } catch (const error&) {
      co_return nullptr;
    }
    if (!files) break;
    co_await missing.offer(std::move(*files));
  }
  co_return stored;
}

/// What keeps a listing while its pages come; null where nothing can be written: that costs a
/// request the next time. Blocking.
writer_ptr begin_keeping(const snapshot_request& wanted) {
  try {
    if (!wanted.to_cache()) cache::local_folder(wanted.options.local_dir).prepare_trees();
    return std::make_shared<cache::tree_writer>(
        wanted.tree_path(wanted.commit).parent_path().parent_path());
  } catch (const error&) {
    return nullptr;
  }
}

/// Null if it cannot be kept after all. Blocking.
writer_ptr keep_page(writer_ptr kept, const std::vector<tree_entry>& entries) {
  try {
    if (kept) kept->add(entries);
    return kept;
  } catch (const error&) {
    return nullptr;
  }
}

/// The listing that is kept now; null if it is not. Blocking.
reader_ptr finish_keeping(const snapshot_request& wanted, const writer_ptr& kept) {
  try {
    if (!kept || !kept->is_worth_keeping()) return nullptr;
    kept->write(wanted.tree_path(wanted.commit));
    return open_stored(wanted);
  } catch (const error&) {
    return nullptr;
  }
}

listing<tree_entry> list_tree(const snapshot_request& wanted) {
  list_repo_tree_options options;
  options.type = wanted.options.type;
  options.revision = wanted.commit;
  options.recursive = true;
  return list_repo_tree(wanted.shared, wanted.access, wanted.repo_id, std::move(options));
}

/// Hands on the files that the Hub lists, and closes what they come by before the listing is kept.
/// `missing` outlives the call.
awaitable<reader_ptr> offer_listed(snapshot_ptr wanted, missing_files& missing) {
  const auto& pool = wanted->shared->pool;
  auto beginning = [wanted] { return begin_keeping(*wanted); };
  auto kept = co_await io::on_pool(pool, std::move(beginning));
  auto pages = list_tree(*wanted);
  for (auto page = co_await pages.next_page(); page; page = co_await pages.next_page()) {
    co_await missing.offer(select_files(*wanted, *page));
    auto keeping = [kept = std::move(kept), page = std::move(*page)]() mutable {
      return keep_page(std::move(kept), page);
    };
    kept = co_await io::on_pool(pool, std::move(keeping));
  }
  missing.close();
  auto finishing = [wanted, kept = std::move(kept)] { return finish_keeping(*wanted, kept); };
  co_return co_await io::on_pool(pool, std::move(finishing));
}

}  // namespace

awaitable<std::vector<snapshot_file>> list_all(snapshot_ptr wanted) {
  std::vector<snapshot_file> all;
  auto opening = [wanted] { return open_stored(*wanted); };
  auto stored = co_await io::on_pool(wanted->shared->pool, std::move(opening));
  while (stored) {
    std::optional<std::vector<snapshot_file>> files;
    try {
      files = co_await read_some(wanted, stored);
    } catch (const error&) {
      break;
    }
    if (!files) co_return all;
    std::move(files->begin(), files->end(), std::back_inserter(all));
  }
  all.clear();
  auto pages = list_tree(*wanted);
  for (auto page = co_await pages.next_page(); page; page = co_await pages.next_page()) {
    auto files = select_files(*wanted, *page);
    std::move(files.begin(), files.end(), std::back_inserter(all));
  }
  co_return all;
}

awaitable<reader_ptr> list_missing(snapshot_ptr wanted, bounded_queue<snapshot_file>& queue) {
  missing_files missing(wanted, queue);
  co_await missing.open();
  if (!wanted->options.force_download) {
    auto stored = co_await offer_stored(wanted, missing);
    if (stored) {
      missing.close();
      co_return stored;
    }
  }
  co_return co_await offer_listed(wanted, missing);
}

}  // namespace cohub::transfer
