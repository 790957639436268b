#include "transfer/snapshot/snapshot.hpp"

#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "hub/repo_id.hpp"
#include "io/file.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "io/with_timeout.hpp"
#include "transfer/ask_commit.hpp"
#include "transfer/download/download_claim.hpp"
#include "transfer/download/download_file.hpp"
#include "transfer/not_cached.hpp"
#include "transfer/snapshot/snapshot_fallback.hpp"
#include "transfer/snapshot/snapshot_files.hpp"
#include "transfer/snapshot/snapshot_listing.hpp"

#include <boost/asio/this_coro.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

/// Files of the listing that wait to be fetched; beyond, the next page waits.
constexpr std::size_t queue_limit = 4096;

using request_ptr = std::shared_ptr<snapshot_request>;

constexpr std::array ways_of_asking{asking::once, asking::patiently};

/// The commit that the revision names now.
awaitable<std::string> resolve_commit(snapshot_ptr wanted, asking how) {
  const auto& options = wanted->options;
  if (options.local_files_only)
    throw error(errc::offline, "local_files_only is set: no request is made");
  if (wanted->shared->offline) throw error(errc::offline, "offline mode is on: no request is made");
  if (hub::is_commit_id(options.revision)) co_return options.revision;
  commit_question question;
  question.access = wanted->access;
  question.repo_id = wanted->repo_id;
  question.type = options.type;
  question.revision = options.revision;
  question.limit = wanted->shared->etag_timeout_for(options.etag_timeout);
  co_return co_await ask_commit(wanted->shared, std::move(question), how);
}

/// How often what somebody deletes meanwhile is fetched.
constexpr std::size_t most_rounds = 4;

using reader_ptr = std::shared_ptr<cache::tree_reader>;

/// The references outlive the call.
awaitable<void> list_into(snapshot_ptr wanted, bounded_queue<snapshot_file>& missing,
                          reader_ptr& listing) {
  listing = co_await list_missing(wanted, missing);
}

/// Downloads while it is still being told what. The listing as it is kept; null if it is not.
awaitable<reader_ptr> fetch_files(snapshot_ptr wanted) {
  const auto executor = co_await asio::this_coro::executor;
  bounded_queue<snapshot_file> missing(executor, queue_limit);
  reader_ptr listing;
  // Lends references to this frame: sound, because both parts are awaited below.
  auto part = [&wanted, &missing, &listing](std::size_t index) {
    return index == 0 ? list_into(wanted, missing, listing) : fetch_queued(wanted, missing);
  };
  co_await io::run_all(2, std::move(part));
  co_return listing;
}

/// Whether it may be the listing that is wrong: by a file that is not there, its size or checksum.
bool may_be_mislisted(const error& failure) {
  return failure.code() == errc::content_mismatch || failure.code() == errc::invalid_response ||
         failure.code() == errc::entry_not_found ||
         failure.code() == boost::system::errc::no_space_on_device;
}

/// The same; where the stored listing may be what is wrong, it goes.
awaitable<reader_ptr> fetch_listed(snapshot_ptr wanted) {
  std::exception_ptr mismatch;
  try {
    co_return co_await fetch_files(wanted);
  } catch (const error& e) {
    if (!may_be_mislisted(e)) throw;
    mismatch = std::current_exception();
  }
  auto forget = [wanted] {
    std::error_code ignored;
    return std::filesystem::remove(wanted->tree_path(wanted->commit), ignored);
  };
  co_await io::on_pool(wanted->shared->pool, std::move(forget));
  std::rethrow_exception(mismatch);
}

std::filesystem::path folder_of(const snapshot_request& wanted, const std::string& commit) {
  if (!wanted.to_cache()) return wanted.options.local_dir;
  return wanted.cache.layout().snapshot(commit);
}

/// After all files: what a ref names is complete, unless the patterns left something out.
void write_ref(const snapshot_request& wanted) {
  std::error_code ignored;
  if (wanted.to_cache())
    io::create_directories(wanted.cache.layout().snapshot(wanted.commit));
  else if (!std::filesystem::exists(wanted.cache.layout().snapshot(wanted.commit), ignored))
    return;  // a ref to a snapshot that is not there makes others distrust the whole repository
  try {
    wanted.cache.write_ref(wanted.options.revision, wanted.commit);
  } catch (const error&) {
  }
}

dry_run_file_info describe_in_cache(const snapshot_request& wanted, const snapshot_file& file) {
  dry_run_file_info info;
  info.commit_hash = wanted.commit;
  info.file_size = file.size;
  info.filename = file.path;
  info.local_path = wanted.cache.layout().pointer(wanted.commit, file.path);
  info.is_cached = wanted.cache.find_file(wanted.commit, file.path, file.size) ||
                   wanted.cache.has_blob(file.etag, file.size);
  info.will_download = wanted.options.force_download || !info.is_cached;
  return info;
}

/// Null when the commit is known.
awaitable<std::exception_ptr> learn_commit(request_ptr wanted, asking how) {
  try {
    wanted->commit = co_await resolve_commit(wanted, how);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    co_return std::current_exception();
  }
  co_return nullptr;
}

/// Keeps the snapshot from being deleted while nothing names it yet. Without, where the cache
/// cannot be written to or somebody deletes at the moment, it is looked at in the end all the same.
awaitable<cache::file_lock> hold_snapshot(request_ptr wanted) {
  auto work = [wanted] {
    std::optional<cache::file_lock> lock;
    try {
      wanted->cache.prepare();
      lock = cache::try_share_file(wanted->cache.layout().snapshot_lock(wanted->commit));
    } catch (const error&) {
    }
    return lock ? std::move(*lock) : cache::file_lock();
  };
  co_return co_await io::on_pool(wanted->shared->pool, std::move(work));
}

/// What was deleted while others came, by the listing that they came by.
awaitable<absent_files> look_for_absent(snapshot_ptr wanted, reader_ptr listing) {
  auto look = [wanted, listing](const std::stop_token& stop) {
    absent_files absent;
    try {
      if (listing) absent = absent_of(*wanted, folder_of(*wanted, wanted->commit), *listing, stop);
    } catch (const error&) {  // it cannot be read any more, and tells nothing
    }
    return absent;
  };
  co_return co_await io::on_pool(wanted->shared->pool, std::move(look));
}

/// Fetches what is missing until all is there: other clients delete without asking for locks.
awaitable<void> fetch_to_cache(request_ptr wanted) {
  const auto held = co_await hold_snapshot(wanted);
  for (std::size_t round = 1;; ++round) {
    wanted->began = wanted->shared->small_blobs->arrivals();
    auto listing = co_await fetch_listed(wanted);
    const auto absent = co_await look_for_absent(wanted, std::move(listing));
    if (absent.count == 0) co_return;
    if (round == most_rounds) throw_incomplete(*wanted, absent);
    wanted->options.force_download = false;  // all of it was
    tell(*wanted, transfer_event::kind::warning, {},
         std::to_string(absent.count) + " files were deleted while others came");
  }
}

awaitable<std::filesystem::path> download(request_ptr wanted) {
  for (const auto how : ways_of_asking) {
    auto failure = co_await learn_commit(wanted, how);
    if (!failure) break;
    if (!may_fall_back(failure) || wanted->options.force_download) std::rethrow_exception(failure);
    const bool again =
        how == asking::once && may_pass(failure, wanted->shared->retries.max_retry_after);
    auto found = co_await look_for_local(wanted, std::move(failure));
    if (found.folder) co_return std::move(*found.folder);
    if (!again) std::rethrow_exception(found.failure);
  }
  wanted->total = wanted->shared->totals->of(wanted->observer);
  if (wanted->to_cache()) {
    const auto& layout = wanted->cache.layout();
    std::vector<std::filesystem::path> folders;
    folders.push_back(layout.folder());
    folders.push_back(layout.blobs());
    co_await sweep(wanted->shared, std::move(folders));
    co_await fetch_to_cache(wanted);
  } else {
    co_await fetch_listed(wanted);
  }
  auto work = [wanted] {
    write_ref(*wanted);
    return folder_of(*wanted, wanted->commit);
  };
  co_return co_await io::on_pool(wanted->shared->pool, std::move(work));
}

/// File by file: what is there may have to be hashed.
awaitable<std::vector<dry_run_file_info>> plan_for_folder(request_ptr wanted,
                                                          std::vector<snapshot_file> files) {
  std::vector<dry_run_file_info> infos;
  for (auto& file : files) {
    std::optional<file_facts> known(facts_of(*wanted, file));
    auto planning = download_file_dry_run(wanted->shared, wanted->repo_id, std::move(file.path),
                                          file_options(*wanted), std::move(known));
    infos.push_back(co_await std::move(planning));
  }
  co_return infos;
}

awaitable<std::vector<dry_run_file_info>> plan(request_ptr wanted) {
  wanted->commit = co_await resolve_commit(wanted, asking::patiently);
  auto files = co_await list_all(wanted);
  if (!wanted->to_cache()) {
    co_return co_await plan_for_folder(wanted, std::move(files));
  }
  auto work = [wanted, files = std::move(files)] {
    std::vector<dry_run_file_info> infos;
    for (const auto& file : files) infos.push_back(describe_in_cache(*wanted, file));
    return infos;
  };
  co_return co_await io::on_pool(wanted->shared->pool, std::move(work));
}

std::string describe(const snapshot_request& wanted) {
  return "downloading " + wanted.repo_id + " at " + wanted.options.revision;
}

}  // namespace

awaitable<std::filesystem::path> snapshot_download(context_ptr shared, std::string repo_id,
                                                   snapshot_download_options options) {
  const auto wanted =
      make_snapshot_request(std::move(shared), std::move(repo_id), std::move(options));
  co_return co_await io::with_timeout(download(wanted), wanted->options.timeout, describe(*wanted));
}

awaitable<std::vector<dry_run_file_info>> snapshot_download_dry_run(
    context_ptr shared, std::string repo_id, snapshot_download_options options) {
  const auto wanted =
      make_snapshot_request(std::move(shared), std::move(repo_id), std::move(options));
  co_return co_await io::with_timeout(plan(wanted), wanted->options.timeout, describe(*wanted));
}

}  // namespace cohub::transfer
