#include "transfer/snapshot.hpp"

#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "cache/local_dir.hpp"
#include "cache/tree_cache.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "io/with_timeout.hpp"
#include "transfer/download_file.hpp"
#include "transfer/file_request.hpp"
#include "transfer/not_cached.hpp"
#include "transfer/snapshot_files.hpp"
#include "transfer/snapshot_listing.hpp"
#include "transfer/tree_listing.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
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

request_ptr make_snapshot(context_ptr shared, std::string repo_id,
                          snapshot_download_options options) {
  options.local_dir = core::expand_home(options.local_dir);
  if (options.max_workers == 0)
    throw error(errc::invalid_argument, "snapshot_download_options::max_workers must not be 0");
  if (const auto valid = hub::check_download_path(options.revision); !valid)
    throw error(valid.error(), "the revision \"" + options.revision + "\"");
  cache::repo_layout layout(shared->cache_for(options.cache_dir), options.type, repo_id);
  const auto links =
      shared->disable_symlinks ? cache::link_support::never : cache::link_support::probe;
  core::path_filter filter(options.allow_patterns, options.ignore_patterns);
  hub_access_options own;
  own.token = options.token;
  own.endpoint = options.endpoint;
  own.headers = options.headers;
  own.user_agent = options.user_agent;
  auto access = make_hub_access(*shared, std::move(own));
  auto observer = shared->observer_for(options.observer);
  return std::make_shared<snapshot_request>(
      snapshot_request{std::move(shared),
                       std::move(repo_id),
                       std::move(options),
                       std::move(access),
                       std::move(observer),
                       std::move(filter),
                       cache::repo_cache(std::move(layout), links),
                       {}});
}

/// How the commit is asked for: at first quickly, for there may be a folder to fall back on.
enum class asking { once, patiently };
constexpr std::array ways_of_asking{asking::once, asking::patiently};

std::chrono::milliseconds limit_of_question(const snapshot_request& wanted, asking how) {
  const auto& shared = *wanted.shared;
  const auto once = shared.imposed_etag_timeout.value_or(
      wanted.options.etag_timeout.value_or(shared.timeouts.metadata));
  return how == asking::once ? once : patient(once);
}

/// The commit that the revision names now.
awaitable<std::string> ask_commit(snapshot_ptr wanted, asking how) {
  if (wanted->options.local_files_only)
    throw error(errc::offline, "local_files_only is set: no request is made");
  if (wanted->shared->offline) throw error(errc::offline, "offline mode is on: no request is made");
  if (hub::is_commit_id(wanted->options.revision)) co_return wanted->options.revision;
  repo_info_options options;
  options.type = wanted->options.type;
  options.revision = wanted->options.revision;
  options.expand.push_back("sha");  // not the whole list of files
  auto fetching =
      fetch_repo_info(wanted->shared, wanted->access, wanted->repo_id, std::move(options),
                      limit_of_question(*wanted, how), how == asking::patiently);
  auto info = co_await std::move(fetching);
  if (!hub::is_commit_id(info.sha))
    throw error(errc::not_a_hub,
                "asking for the commit of " + wanted->repo_id + " at " + wanted->options.revision);
  co_return info.sha;
}

/// How often what somebody deletes meanwhile is fetched.
constexpr std::size_t most_rounds = 4;

/// Which of these files a folder lacks.
std::vector<std::string> absent_of(const std::filesystem::path& folder,
                                   const std::vector<std::string>& paths,
                                   const std::stop_token& stop) {
  std::vector<std::string> absent;
  try {
    const io::file opened(folder, io::file::mode::read);
    for (const auto& path : paths) {
      io::throw_if_stopped(stop);
      struct stat status {};
      if (::fstatat(opened.native_handle(), path.c_str(), &status, 0) < 0 ||
          !S_ISREG(status.st_mode))
        absent.push_back(path);
    }
  } catch (const error&) {
    absent = paths;
  }
  return absent;
}

/// Downloads while it is still being told what; `paths` gets the names of all files. Outlives the
/// call.
awaitable<void> fetch_files(snapshot_ptr wanted, std::vector<std::string>& paths) {
  const auto executor = co_await asio::this_coro::executor;
  bounded_queue<snapshot_file> missing(executor, queue_limit);
  // Lends a reference to this frame: sound, because both are awaited below.
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, list_missing(wanted, missing, paths), asio::deferred),
      asio::co_spawn(executor, fetch_missing(wanted, missing), asio::deferred));
  auto outcome =
      co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  auto& [order, listing, fetching] = outcome;
  if (order[0] == 1 && fetching) std::rethrow_exception(fetching);
  if (listing) std::rethrow_exception(listing);
  if (fetching) std::rethrow_exception(fetching);
}

/// Whether it may be the listing that is wrong, by a file's size or checksum.
bool may_be_mislisted(const error& failure) {
  return failure.code() == errc::content_mismatch || failure.code() == errc::invalid_response ||
         failure.code() == boost::system::errc::no_space_on_device;
}

/// The same; where the stored listing may be what is wrong, it goes.
awaitable<void> fetch_listed(snapshot_ptr wanted, std::vector<std::string>& paths) {
  std::exception_ptr mismatch;
  try {
    auto fetching = fetch_files(wanted, paths);
    co_await std::move(fetching);
  } catch (const error& e) {
    if (!may_be_mislisted(e)) throw;
    mismatch = std::current_exception();
  }
  if (!mismatch) co_return;
  auto forget = [wanted] {
    std::error_code ignored;
    return std::filesystem::remove(wanted->tree_path(wanted->commit), ignored);
  };
  auto forgetting = io::on_pool(wanted->shared->pool, std::move(forget));
  co_await std::move(forgetting);
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

/// Names of wanted files that the folder lacks, by the stored listing; none where there is no
/// listing.
std::vector<std::string> lacking(const snapshot_request& wanted, const std::string& commit,
                                 const std::filesystem::path& folder, const std::stop_token& stop) {
  std::vector<std::string> paths;
  const auto stored = cache::read_tree(wanted.tree_path(commit));
  if (!stored) return paths;
  for (auto& file : select_files(wanted, *stored, stop)) paths.push_back(std::move(file.path));
  return absent_of(folder, paths, stop);
}

[[noreturn]] void throw_incomplete(const snapshot_request& wanted,
                                   const std::vector<std::string>& names) {
  std::string text = "the snapshot of " + wanted.repo_id + " at " + wanted.options.revision +
                     " is incomplete; it lacks " + std::to_string(names.size()) + " files:";
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 3); ++i) text += ' ' + names[i];
  throw error(errc::incomplete_snapshot, text);
}

/// Whether there is more in a folder than what is noted about downloads.
bool has_content(const std::filesystem::path& folder) {
  std::error_code failure;
  for (std::filesystem::directory_iterator at(folder, failure), end; !failure && at != end;
       at.increment(failure))
    if (at->path().filename() != ".cache") return true;
  return false;
}

/// What is there of the revision in the cache; nothing if it knows none.
std::optional<std::filesystem::path> find_in_cache(const snapshot_request& wanted,
                                                   const std::stop_token& stop) {
  const auto commit = wanted.cache.resolve(wanted.options.revision);
  std::error_code ignored;
  if (!commit) return {};
  auto folder = wanted.cache.layout().snapshot(*commit);
  if (!std::filesystem::is_directory(folder, ignored) || std::filesystem::is_empty(folder, ignored))
    return {};
  const auto names = lacking(wanted, *commit, folder, stop);
  if (!names.empty()) throw_incomplete(wanted, names);
  return folder;
}

/// The commit whose listing a local folder is compared with; nothing if there is no telling. The
/// main cache may know a revision by name that the folder was never brought to.
std::optional<std::string> commit_of_folder(const snapshot_request& wanted,
                                            const cache::local_folder& local) {
  auto commit = wanted.cache.resolve(wanted.options.revision);
  std::error_code ignored;
  if (commit &&
      (*commit == wanted.options.revision || std::filesystem::exists(local.tree(*commit), ignored)))
    return commit;
  return local.last_commit();
}

/// A local folder that is not empty is given out, checked where that is possible; who asked is told
/// that the Hub was not.
std::optional<std::filesystem::path> find_in_local_dir(const snapshot_request& wanted,
                                                       const std::stop_token& stop) {
  const cache::local_folder local(wanted.options.local_dir);
  if (!has_content(local.root())) return {};
  const auto commit = commit_of_folder(wanted, local);
  const bool is_listed = commit && cache::read_tree(local.tree(*commit));
  if (is_listed) {
    const auto names = lacking(wanted, *commit, local.root(), stop);
    if (!names.empty()) throw_incomplete(wanted, names);
  }
  auto text = "the Hub was not asked for " + wanted.repo_id + " at " + wanted.options.revision +
              ": " + local.root().string() + " is given out as it is, ";
  text +=
      is_listed ? "with all files of " + *commit : "though nothing tells whether it is complete";
  tell(wanted, transfer_event::kind::warning, {}, std::move(text));
  return local.root();
}

/// Who wanted no request made need not be told that there was none.
void tell_of_fallback(const snapshot_request& wanted, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    if (e.code() != errc::offline)
      tell(wanted, transfer_event::kind::warning, {},
           "the cache stands in for the Hub: " + std::string(e.what()));
  }
}

/// What is there of the revision, when the Hub cannot be asked for it (hub-protocol, section 5.4).
std::filesystem::path find_local(const snapshot_request& wanted, const std::exception_ptr& failure,
                                 const std::stop_token& stop) {
  auto folder = wanted.to_cache() ? find_in_cache(wanted, stop) : find_in_local_dir(wanted, stop);
  if (folder) {
    if (wanted.to_cache()) tell_of_fallback(wanted, failure);
    return std::move(*folder);
  }
  throw_not_cached(wanted.repo_id + " at " + wanted.options.revision, failure);
}

dry_run_file_info describe_in_cache(const snapshot_request& wanted, const snapshot_file& file) {
  dry_run_file_info info;
  info.commit_hash = wanted.commit;
  info.file_size = file.size;
  info.filename = file.path;
  info.local_path = wanted.cache.layout().pointer(wanted.commit, file.path);
  info.is_cached = wanted.cache.find_file(wanted.commit, file.path) ||
                   wanted.cache.has_blob(file.etag, file.size);
  info.will_download = wanted.options.force_download || !info.is_cached;
  return info;
}

/// Null when the commit is known.
awaitable<std::exception_ptr> learn_commit(request_ptr wanted, asking how) {
  try {
    auto answering = ask_commit(wanted, how);
    wanted->commit = co_await std::move(answering);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    co_return std::current_exception();
  }
  co_return nullptr;
}

/// What is there of the revision, when the Hub did not say what it names: the folder, or why there
/// is none.
struct local_snapshot {
  std::optional<std::filesystem::path> folder{};
  std::exception_ptr failure{};
};

awaitable<local_snapshot> look_for_local(request_ptr wanted, std::exception_ptr failure) {
  auto work = [wanted, failure = std::move(failure)](const std::stop_token& stop) {
    local_snapshot found;
    try {
      found.folder = find_local(*wanted, failure, stop);
    } catch (const error&) {
      found.failure = std::current_exception();
    }
    return found;
  };
  auto looking = io::on_pool(wanted->shared->pool, std::move(work));
  auto found = co_await std::move(looking);
  co_return found;
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
  auto holding = io::on_pool(wanted->shared->pool, std::move(work));
  auto lock = co_await std::move(holding);
  co_return lock;
}

/// Fetches what is missing until all is there: other clients delete without asking for locks.
awaitable<void> fetch_to_cache(request_ptr wanted) {
  auto holding = hold_snapshot(wanted);
  const auto held = co_await std::move(holding);
  for (std::size_t round = 1;; ++round) {
    const auto paths = std::make_shared<std::vector<std::string>>();
    auto fetching = fetch_listed(wanted, *paths);
    co_await std::move(fetching);
    auto look = [wanted, paths](const std::stop_token& stop) {
      return absent_of(folder_of(*wanted, wanted->commit), *paths, stop);
    };
    auto looking = io::on_pool(wanted->shared->pool, std::move(look));
    const auto absent = co_await std::move(looking);
    if (absent.empty()) co_return;
    if (round == most_rounds) throw_incomplete(*wanted, absent);
    tell(*wanted, transfer_event::kind::warning, {},
         std::to_string(absent.size()) + " files were deleted while others came");
  }
}

awaitable<std::filesystem::path> download(request_ptr wanted) {
  for (const auto how : ways_of_asking) {
    auto learning = learn_commit(wanted, how);
    auto failure = co_await std::move(learning);
    if (!failure) break;
    if (!may_fall_back(failure) || wanted->options.force_download) std::rethrow_exception(failure);
    const bool again = how == asking::once && may_pass(failure);
    auto looking = look_for_local(wanted, std::move(failure));
    auto found = co_await std::move(looking);
    if (found.folder) co_return std::move(*found.folder);
    if (!again) std::rethrow_exception(found.failure);
  }
  wanted->total = wanted->shared->totals->of(wanted->observer);
  if (wanted->to_cache()) {
    const auto& layout = wanted->cache.layout();
    std::vector<std::filesystem::path> folders;
    folders.push_back(layout.folder());
    folders.push_back(layout.blobs());
    auto sweeping = sweep(wanted->shared, std::move(folders));
    co_await std::move(sweeping);
    auto fetching = fetch_to_cache(wanted);
    co_await std::move(fetching);
  } else {
    std::vector<std::string> paths;
    auto fetching = fetch_listed(wanted, paths);
    co_await std::move(fetching);
  }
  auto work = [wanted] {
    write_ref(*wanted);
    return folder_of(*wanted, wanted->commit);
  };
  auto ending = io::on_pool(wanted->shared->pool, std::move(work));
  auto folder = co_await std::move(ending);
  co_return folder;
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
  auto answering = ask_commit(wanted, asking::patiently);
  wanted->commit = co_await std::move(answering);
  auto listing = list_all(wanted);
  auto files = co_await std::move(listing);
  if (!wanted->to_cache()) {
    auto planning = plan_for_folder(wanted, std::move(files));
    auto infos = co_await std::move(planning);
    co_return infos;
  }
  auto work = [wanted, files = std::move(files)] {
    std::vector<dry_run_file_info> infos;
    for (const auto& file : files) infos.push_back(describe_in_cache(*wanted, file));
    return infos;
  };
  auto describing = io::on_pool(wanted->shared->pool, std::move(work));
  auto infos = co_await std::move(describing);
  co_return infos;
}

std::string describe(const snapshot_request& wanted) {
  return "downloading " + wanted.repo_id + " at " + wanted.options.revision;
}

}  // namespace

awaitable<std::filesystem::path> snapshot_download(context_ptr shared, std::string repo_id,
                                                   snapshot_download_options options) {
  const auto wanted = make_snapshot(std::move(shared), std::move(repo_id), std::move(options));
  auto limited = io::with_timeout(download(wanted), wanted->options.timeout, describe(*wanted));
  auto folder = co_await std::move(limited);
  co_return folder;
}

awaitable<std::vector<dry_run_file_info>> snapshot_download_dry_run(
    context_ptr shared, std::string repo_id, snapshot_download_options options) {
  const auto wanted = make_snapshot(std::move(shared), std::move(repo_id), std::move(options));
  auto limited = io::with_timeout(plan(wanted), wanted->options.timeout, describe(*wanted));
  auto infos = co_await std::move(limited);
  co_return infos;
}

}  // namespace cohub::transfer
