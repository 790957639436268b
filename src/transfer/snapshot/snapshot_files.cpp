#include "transfer/snapshot/snapshot_files.hpp"

#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "core/url.hpp"
#include "hub/file_metadata.hpp"
#include "hub/routes.hpp"
#include "io/file.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "transfer/download/download_content.hpp"
#include "transfer/download/download_file.hpp"

#include <boost/asio/this_coro.hpp>

#include <exception>
#include <utility>

namespace cohub::transfer {

namespace {

/// Files that one job of the pool writes.
constexpr std::size_t place_step = 32;
/// Jobs that write at the same time, as far as the pool has threads: making a file can take a file
/// system longer than fetching it.
constexpr std::size_t placers = 4;
/// Files that wait for all others; beyond, a worker has them at once.
constexpr std::size_t again_limit = 4096;
/// Files that may wait to be written; beyond, the network waits for the disk.
constexpr std::size_t arrived_limit = 64;

struct arrived_file {
  snapshot_file file{};
  small_content content{};
  transfer_claims::claim_ptr claim{};  ///< on the blob, until it is there
};

/// Whether what is in the cache will do.
enum class reuse { allowed, refused };

/// A file that is had the way of a single one, after others.
struct second_chance {
  snapshot_file file{};
  reuse of_cache = reuse::allowed;
  bool is_equal = false;  ///< to one that was on its way
};

/// What became of a file on the pool.
enum class placing {
  done,
  busy,       ///< another process has the blob's lock
  disturbed,  ///< another process took it meanwhile, and may delete the blob
  failed
};
struct placed_file {
  placing outcome = placing::done;
  std::exception_ptr failure{};
};

/// What the contents of all files have in common: their address up to the path, and who asks.
content_description describe_contents(const snapshot_request& wanted) {
  auto request = hub_request(*wanted.shared, wanted.access, http::method::get,
                             hub::routes::resolve(wanted.access.endpoint, wanted.options.type,
                                                  wanted.repo_id, wanted.commit, {}));
  content_description what;
  what.resolve = std::move(request.url);
  what.credentials = credentials_of(request);
  return what;
}

struct snapshot_fetch {
  snapshot_fetch(snapshot_ptr request, bounded_queue<snapshot_file>& queue,
                 asio::any_io_executor executor)
      : wanted(std::move(request)),
        contents(describe_contents(*wanted)),
        blobs(wanted->cache.layout().blobs().native() + '/'),
        missing(queue),
        arrived(executor, arrived_limit) {}

  snapshot_ptr wanted;
  content_description contents;  // of every file, but for what tells one from the others
  std::string blobs;             // their folder
  bounded_queue<snapshot_file>& missing;
  bounded_queue<arrived_file> arrived;
  std::size_t workers = 0;             // that still fetch
  std::vector<second_chance> again{};  // complete once no worker fetches any more
};
using snapshot_fetch_ptr = std::shared_ptr<snapshot_fetch>;

bool is_small(const snapshot_fetch& all, const snapshot_file& file) {
  return all.wanted->to_cache() && file.size <= small_size;
}

/// Checks one file, writes its blob and links it, while nobody else has the blob's lock.
placed_file place(const snapshot_request& wanted, const arrived_file& arrived) {
  placed_file placed;
  try {
    const auto& [path, etag, size] = arrived.file;
    const auto& layout = wanted.cache.layout();
    const auto lock = cache::appearance_lock::attempt(layout.lock(etag));
    if (!lock) {
      placed.outcome = placing::busy;
      return placed;
    }
    const auto bytes = arrived.content.span();
    place_small(path, etag, bytes, layout.blob(etag), layout.blobs());
    wanted.cache.link_blob(wanted.commit, path, etag, cache::blob_age::fresh);
    if (!lock->undisturbed()) placed.outcome = placing::disturbed;
  } catch (const error& e) {
    // Somebody deleted a folder meanwhile, without asking for locks.
    const bool went = e.code() == boost::system::errc::no_such_file_or_directory;
    placed.outcome = went ? placing::disturbed : placing::failed;
    placed.failure = std::current_exception();
  }
  return placed;
}

bool is_mismatch(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    return e.code() == errc::content_mismatch;
  } catch (...) {
    return false;
  }
}

std::string claim_key(const snapshot_fetch& all, const snapshot_file& file) {
  return all.blobs + file.etag;
}

awaitable<void> fetch_by_itself(snapshot_fetch_ptr all, snapshot_file file, reuse of_cache) {
  const auto& wanted = *all->wanted;
  std::optional<file_facts> known(facts_of(wanted, file));
  auto options = file_options(wanted);
  if (of_cache == reuse::refused) options.force_download = true;
  co_await download_file(wanted.shared, wanted.repo_id, std::move(file.path), std::move(options),
                         std::move(known));
}

/// The file's description outlives the call.
awaitable<small_content> receive(snapshot_fetch_ptr all, const snapshot_file& file) {
  auto what = all->contents;
  what.name = file.path;
  what.resolve.target += core::percent_encode(file.path, "/");
  what.size = file.size;
  what.etag = file.etag;
  content_settings settings;
  settings.observer = all->wanted->listener;
  co_return co_await receive_small(all->wanted->shared, std::move(what), std::move(settings));
}

void report(const snapshot_request& wanted, const snapshot_file& file) {
  const auto& [path, etag, size] = file;
  if (wanted.total) {
    wanted.total->begin_file(size);
    wanted.total->move(static_cast<std::int64_t>(size));
    wanted.total->finish_file();
  }
  if (hub::kind_of_etag(etag) != hub::etag_kind::opaque)
    tell(wanted, transfer_event::kind::verified, path, etag);
  tell(wanted, transfer_event::kind::finished, path);
}

/// Links a file to content that came for another one; false if it is to be had another way.
bool link_equal(const snapshot_request& wanted, const snapshot_file& file) {
  try {
    const auto lock = cache::appearance_lock::attempt(wanted.cache.layout().lock(file.etag));
    return lock && wanted.cache.has_blob(file.etag, file.size) &&
           wanted.cache.try_link_blob(wanted.commit, file.path, file.etag, small_size) &&
           lock->undisturbed();
  } catch (const error&) {
    return false;
  }
}

/// Waits until the content that was on its way is there, and links it.
awaitable<bool> take_equal(snapshot_fetch_ptr all, snapshot_file file) {
  const auto held =
      co_await transfer_claims::take(all->wanted->shared->small_blobs, claim_key(*all, file));
  auto link = [wanted = all->wanted, file] { return link_equal(*wanted, file); };
  const bool linked = co_await io::on_pool(all->wanted->shared->pool, std::move(link));
  co_return linked;
}

awaitable<void> have_again(snapshot_fetch_ptr all, second_chance next) {
  if (next.is_equal) {
    const bool taken = co_await take_equal(all, next.file);
    if (taken) {
      report(*all->wanted, next.file);
      co_return;
    }
  }
  co_await fetch_by_itself(all, std::move(next.file), next.of_cache);
}

awaitable<void> put_off(snapshot_fetch_ptr all, second_chance next) {
  if (all->again.size() < again_limit)
    all->again.push_back(std::move(next));
  else
    co_await have_again(all, std::move(next));
}

/// Null if the same content is on its way, or has come since the snapshot began, for another file
/// or another download: it was not there when the file was looked for.
transfer_claims::claim_ptr claim_missing(const snapshot_fetch& all, const snapshot_file& file) {
  const auto& claims = all.wanted->shared->small_blobs;
  const auto key = claim_key(all, file);
  if (claims->may_have_arrived_since(all.wanted->began, key)) return nullptr;
  return transfer_claims::try_take(claims, key);
}

awaitable<void> run_fetcher(snapshot_fetch_ptr all) {
  for (auto file = co_await all->missing.pop(); file; file = co_await all->missing.pop()) {
    if (!is_small(*all, *file)) {
      co_await fetch_by_itself(all, std::move(*file), reuse::allowed);
      continue;
    }
    arrived_file arrived;
    arrived.claim = claim_missing(*all, *file);
    if (!arrived.claim) {
      second_chance later;
      later.file = std::move(*file);
      later.is_equal = true;
      co_await put_off(all, std::move(later));
      continue;
    }
    arrived.content = co_await receive(all, *file);
    arrived.file = std::move(*file);
    co_await all->arrived.push(std::move(arrived));
  }
  if (--all->workers == 0) all->arrived.close();
}

/// The files outlive the call.
awaitable<std::vector<placed_file>> place_all(snapshot_fetch_ptr all,
                                              const std::vector<arrived_file>& files) {
  auto job = [wanted = all->wanted, &files] {
    wanted->cache.prepare();
    std::vector<placed_file> placed;
    for (const auto& file : files) placed.push_back(place(*wanted, file));
    return placed;
  };
  co_return co_await io::on_pool(all->wanted->shared->pool, std::move(job));
}

/// Whether a file that could not be placed may be had the way of a single file, which waits for
/// another process that has the blob's lock, and asks again for bytes that are not what was
/// promised. Throws if not.
void check_second_chance(const snapshot_request& wanted, const snapshot_file& file,
                         const placed_file& placed) {
  if (placed.outcome == placing::busy || placed.outcome == placing::disturbed) return;
  if (!is_mismatch(placed.failure)) std::rethrow_exception(placed.failure);
  tell(wanted, transfer_event::kind::retry, file.path, "its checksum is not what the Hub promised");
}

/// What did not come the short way.
awaitable<void> fetch_again(snapshot_fetch_ptr all) {
  auto task = [all](std::size_t index) { return have_again(all, std::move(all->again[index])); };
  co_await io::for_each_bounded(all->again.size(), all->wanted->options.max_workers,
                                std::move(task));
}

awaitable<void> place_arrived(snapshot_fetch_ptr all) {
  for (;;) {
    auto files = co_await all->arrived.pop_some(place_step);
    if (files.empty()) break;
    const auto placed = co_await place_all(all, files);
    std::vector<second_chance> not_placed;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (placed[i].outcome == placing::done) {
        report(*all->wanted, files[i].file);
        transfer_claims::arrived(*files[i].claim);
        files[i].claim.reset();
      } else {
        check_second_chance(*all->wanted, files[i].file, placed[i]);
        second_chance next;
        next.file = files[i].file;
        if (placed[i].outcome == placing::disturbed) next.of_cache = reuse::refused;
        not_placed.push_back(std::move(next));
      }
    }
    files.clear();  // with the claims, which who has a file by itself takes
    for (auto& next : not_placed) co_await put_off(all, std::move(next));
  }
}

}  // namespace

awaitable<void> fetch_queued(snapshot_ptr wanted, bounded_queue<snapshot_file>& queue) {
  const auto executor = co_await asio::this_coro::executor;
  const auto all = std::make_shared<snapshot_fetch>(wanted, queue, executor);
  all->workers = wanted->options.max_workers;
  auto part = [all](std::size_t index) {
    return index < placers ? place_arrived(all) : run_fetcher(all);
  };
  co_await io::run_all(placers + wanted->options.max_workers, std::move(part));
  co_await fetch_again(all);
}

}  // namespace cohub::transfer
