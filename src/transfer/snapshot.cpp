#include "transfer/snapshot.hpp"

#include "cohub/error.hpp"

#include "cache/local_dir.hpp"
#include "cache/tree_cache.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "transfer/download_retry.hpp"
#include "transfer/file_request.hpp"
#include "transfer/snapshot_files.hpp"
#include "transfer/snapshot_listing.hpp"
#include "transfer/tree_listing.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

/// Files of the listing that wait to be fetched; beyond, the next page waits.
constexpr std::size_t queue_limit = 4096;

using request_ptr = std::shared_ptr<snapshot_request>;

boost::system::error_code code_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code();
  } catch (...) {
    return {};
  }
}

request_ptr make_snapshot(context_ptr shared, std::string repo_id,
                          snapshot_download_options options) {
  if (options.max_workers == 0)
    throw error(errc::invalid_argument, "snapshot_download_options::max_workers must not be 0");
  if (const auto valid = hub::check_download_path(options.revision); !valid)
    throw error(valid.error(), "the revision \"" + options.revision + "\"");
  cache::repo_layout layout(options.cache_dir.empty() ? shared->cache_dir : options.cache_dir,
                            options.type, repo_id);
  const auto links =
      shared->disable_symlinks ? cache::link_support::never : cache::link_support::probe;
  core::path_filter filter(options.allow_patterns, options.ignore_patterns);
  auto observer = shared->observer_for(options.observer);
  return std::make_shared<snapshot_request>(
      snapshot_request{std::move(shared),
                       std::move(repo_id),
                       std::move(options),
                       std::move(observer),
                       std::move(filter),
                       cache::repo_cache(std::move(layout), links),
                       {}});
}

/// The commit that the revision names now.
awaitable<std::string> ask_commit(snapshot_ptr wanted) {
  if (wanted->options.local_files_only)
    throw error(errc::offline, "local_files_only is set: no request is made");
  if (wanted->shared->offline) throw error(errc::offline, "offline mode is on: no request is made");
  if (hub::is_commit_id(wanted->options.revision)) co_return wanted->options.revision;
  repo_info_options options;
  options.type = wanted->options.type;
  options.revision = wanted->options.revision;
  options.token = wanted->options.token;
  auto asking = fetch_repo_info(wanted->shared, wanted->repo_id, std::move(options));
  auto info = co_await std::move(asking);
  if (!hub::is_commit_id(info.sha))
    throw error(errc::not_a_hub,
                "asking for the commit of " + wanted->repo_id + " at " + wanted->options.revision);
  co_return info.sha;
}

/// Downloads while it is still being told what.
awaitable<void> fetch_files(snapshot_ptr wanted) {
  const auto executor = co_await asio::this_coro::executor;
  bounded_queue<tree_entry> missing(executor, queue_limit);
  // Lends a reference to this frame: sound, because both are awaited below.
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, list_missing(wanted, missing), asio::deferred),
      asio::co_spawn(executor, fetch_missing(wanted, missing), asio::deferred));
  auto outcome =
      co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  auto& [order, listing, fetching] = outcome;
  if (order[0] == 1 && fetching) std::rethrow_exception(fetching);
  if (listing) std::rethrow_exception(listing);
  if (fetching) std::rethrow_exception(fetching);
}

std::filesystem::path folder_of(const snapshot_request& wanted, const std::string& commit) {
  if (!wanted.to_cache()) return wanted.options.local_dir;
  return wanted.cache.layout().snapshot(commit);
}

/// After all files: what a ref names is complete, unless the patterns left something out.
void write_ref(const snapshot_request& wanted) {
  if (wanted.to_cache())
    io::create_directories(wanted.cache.layout().snapshot(wanted.commit));
  else if (!std::filesystem::exists(wanted.cache.layout().snapshot(wanted.commit)))
    return;  // a ref to a snapshot that is not there makes others distrust the whole repository
  try {
    wanted.cache.write_ref(wanted.options.revision, wanted.commit);
  } catch (const error&) {
  }
}

/// Names of wanted files that the folder lacks, by the stored listing; none where there is no
/// listing.
std::vector<std::string> lacking(const snapshot_request& wanted, const std::string& commit,
                                 const std::filesystem::path& folder) {
  std::vector<std::string> names;
  auto stored = cache::read_tree(wanted.tree_path(commit));
  if (!stored) return names;
  std::error_code ignored;
  for (const auto& entry : select_files(wanted, std::move(*stored)))
    if (!std::filesystem::is_regular_file(folder / entry.path, ignored))
      names.push_back(entry.path);
  return names;
}

[[noreturn]] void throw_incomplete(const snapshot_request& wanted,
                                   const std::vector<std::string>& names) {
  std::string text = "the snapshot of " + wanted.repo_id + " at " + wanted.options.revision +
                     " is incomplete; it lacks " + std::to_string(names.size()) + " files:";
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 3); ++i) text += ' ' + names[i];
  throw error(errc::incomplete_snapshot, text);
}

/// What is there of the revision, when the Hub cannot be asked for it (hub-protocol, section 5.4).
std::filesystem::path find_local(const snapshot_request& wanted,
                                 const std::exception_ptr& failure) {
  const auto commit = wanted.cache.resolve(wanted.options.revision);
  std::error_code ignored;
  if (commit) {
    const auto folder = folder_of(wanted, *commit);
    if (std::filesystem::is_directory(folder, ignored) &&
        !std::filesystem::is_empty(folder, ignored)) {
      const auto names = lacking(wanted, *commit, folder);
      if (!names.empty()) throw_incomplete(wanted, names);
      return folder;
    }
  }
  const auto code = code_of(failure);
  if (code != errc::offline && !is_unreachable(code)) std::rethrow_exception(failure);
  std::string reason;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    reason = e.what();
  }
  throw error(errc::local_entry_not_found, wanted.repo_id + " at " + wanted.options.revision +
                                               " is not in the cache, and was not fetched (" +
                                               reason + ")");
}

bool is_in_local_dir(const snapshot_request& wanted, const tree_entry& entry) {
  const cache::local_folder folder(wanted.options.local_dir);
  if (!folder.has_file(entry.path)) return false;
  const auto metadata = folder.read_metadata(entry.path);
  return metadata && metadata->etag == facts_of(wanted, entry).etag;
}

dry_run_file_info describe(const snapshot_request& wanted, const tree_entry& entry) {
  const auto facts = facts_of(wanted, entry);
  dry_run_file_info info;
  info.commit_hash = facts.commit;
  info.file_size = facts.size;
  info.filename = entry.path;
  info.local_path = folder_of(wanted, wanted.commit) / entry.path;
  info.is_cached =
      wanted.cache.find_file(wanted.commit, entry.path) ||
      (wanted.to_cache() ? wanted.cache.has_blob(facts.etag) : is_in_local_dir(wanted, entry));
  info.will_download = wanted.options.force_download || !info.is_cached;
  return info;
}

}  // namespace

awaitable<std::filesystem::path> snapshot_download(context_ptr shared, std::string repo_id,
                                                   snapshot_download_options options) {
  const auto wanted = make_snapshot(std::move(shared), std::move(repo_id), std::move(options));
  std::exception_ptr failure;
  try {
    auto asking = ask_commit(wanted);
    wanted->commit = co_await std::move(asking);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted || e.code() == errc::revision_not_found) throw;
    failure = std::current_exception();
  }
  if (failure) {
    auto work = [wanted, failure] { return find_local(*wanted, failure); };
    auto finding = io::on_pool(wanted->shared->pool, std::move(work));
    auto folder = co_await std::move(finding);
    co_return folder;
  }
  wanted->total = wanted->shared->totals->of(wanted->observer);
  if (wanted->to_cache()) {
    const auto& layout = wanted->cache.layout();
    std::vector<std::filesystem::path> folders;
    folders.push_back(layout.folder());
    folders.push_back(layout.blobs());
    auto sweeping = sweep(wanted->shared, std::move(folders));
    co_await std::move(sweeping);
  }
  auto fetching = fetch_files(wanted);
  co_await std::move(fetching);
  auto work = [wanted] {
    write_ref(*wanted);
    return folder_of(*wanted, wanted->commit);
  };
  auto ending = io::on_pool(wanted->shared->pool, std::move(work));
  auto folder = co_await std::move(ending);
  co_return folder;
}

awaitable<std::vector<dry_run_file_info>> snapshot_download_dry_run(
    context_ptr shared, std::string repo_id, snapshot_download_options options) {
  const auto wanted = make_snapshot(std::move(shared), std::move(repo_id), std::move(options));
  auto asking = ask_commit(wanted);
  wanted->commit = co_await std::move(asking);
  auto listing = list_all(wanted);
  auto entries = co_await std::move(listing);
  auto work = [wanted, entries = std::move(entries)] {
    std::vector<dry_run_file_info> plan;
    for (const auto& entry : entries) plan.push_back(describe(*wanted, entry));
    return plan;
  };
  auto describing = io::on_pool(wanted->shared->pool, std::move(work));
  auto plan = co_await std::move(describing);
  co_return plan;
}

}  // namespace cohub::transfer
