#include "transfer/snapshot.hpp"

#include "cohub/error.hpp"

#include "cache/local_dir.hpp"
#include "cache/repo_cache.hpp"
#include "cache/tree_cache.hpp"
#include "core/glob.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "io/file.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "transfer/download_file.hpp"
#include "transfer/download_retry.hpp"
#include "transfer/progress_reporter.hpp"
#include "transfer/tree_listing.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

/// Files that one job of the pool looks up in the cache.
constexpr std::size_t lookup_step = 512;

struct snapshot {
  context_ptr shared{};
  std::string repo_id{};
  snapshot_download_options options{};
  std::shared_ptr<cohub::observer> observer{};
  core::path_filter filter{};
  cache::repo_cache cache;
  std::string commit{};
  std::vector<tree_entry> files{};  ///< that are wanted
};
using snapshot_ptr = std::shared_ptr<snapshot>;

boost::system::error_code code_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code();
  } catch (...) {
    return {};
  }
}

std::filesystem::path tree_path(const snapshot& wanted, const std::string& commit) {
  if (wanted.options.local_dir.empty()) return wanted.cache.layout().tree(commit);
  return cache::local_folder(wanted.options.local_dir).tree(commit);
}

/// The files of a listing that the patterns keep. One that could leave its folder is refused,
/// wanted or not: such a listing is not to be trusted.
std::vector<tree_entry> select(const snapshot& wanted, std::vector<tree_entry> entries) {
  std::vector<tree_entry> kept;
  for (auto& entry : entries) {
    if (entry.type != tree_entry::kind::file) continue;
    if (const auto valid = hub::check_download_path(entry.path); !valid)
      throw error(valid.error(),
                  "the listing of " + wanted.repo_id + " names \"" + entry.path + "\"");
    if (wanted.filter.keeps(entry.path)) kept.push_back(std::move(entry));
  }
  return kept;
}

snapshot_ptr make_snapshot(context_ptr shared, std::string repo_id,
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
  return std::make_shared<snapshot>(snapshot{std::move(shared),
                                             std::move(repo_id),
                                             std::move(options),
                                             std::move(observer),
                                             std::move(filter),
                                             cache::repo_cache(std::move(layout), links),
                                             {},
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

awaitable<std::vector<tree_entry>> fetch_listing(snapshot_ptr wanted) {
  list_repo_tree_options options;
  options.type = wanted->options.type;
  options.revision = wanted->commit;
  options.recursive = true;
  options.token = wanted->options.token;
  auto pages = list_repo_tree(wanted->shared, wanted->repo_id, std::move(options));
  auto entries = co_await pages.all();
  co_return entries;
}

/// Fills `files`, from the stored listing of the commit or from the Hub's.
awaitable<void> list_files(snapshot_ptr wanted) {
  auto reading = [wanted] { return cache::read_tree(tree_path(*wanted, wanted->commit)); };
  auto looking = io::on_pool(wanted->shared->pool, std::move(reading));
  auto stored = co_await std::move(looking);
  if (!stored) {
    auto fetching = fetch_listing(wanted);
    auto entries = co_await std::move(fetching);
    wanted->files = select(*wanted, entries);  // refuses a bad listing before it is stored
    auto storing = [wanted, entries = std::move(entries)] {
      try {
        cache::write_tree(tree_path(*wanted, wanted->commit), entries);
      } catch (const error&) {  // a cache that cannot be written to costs a request next time
      }
    };
    auto keeping = io::on_pool(wanted->shared->pool, std::move(storing));
    co_await std::move(keeping);
    co_return;
  }
  wanted->files = select(*wanted, std::move(*stored));
}

bool is_there(const snapshot& wanted, const tree_entry& entry) {
  return wanted.cache.find_file(wanted.commit, entry.path).has_value();
}

/// Takes the files off the list that the cache has; a local folder is looked at file by file.
awaitable<void> drop_cached(snapshot_ptr wanted) {
  if (wanted->options.force_download || !wanted->options.local_dir.empty()) co_return;
  std::vector<tree_entry> missing;
  for (std::size_t begin = 0; begin < wanted->files.size(); begin += lookup_step) {
    auto work = [wanted, begin] {
      std::vector<std::size_t> absent;
      const auto end = std::min(begin + lookup_step, wanted->files.size());
      for (auto i = begin; i < end; ++i)
        if (!is_there(*wanted, wanted->files[i])) absent.push_back(i);
      return absent;
    };
    auto looking = io::on_pool(wanted->shared->pool, std::move(work));
    const auto absent = co_await std::move(looking);
    for (const auto i : absent) missing.push_back(wanted->files[i]);
  }
  if (wanted->files.size() != missing.size())
    report_event(wanted->observer, transfer_event::kind::cache_hit, wanted->repo_id,
                 std::to_string(wanted->files.size() - missing.size()) + " files are in the cache");
  wanted->files = std::move(missing);
}

awaitable<void> fetch_file(snapshot_ptr wanted, std::size_t index) {
  const auto& entry = wanted->files[index];
  download_options options;
  options.type = wanted->options.type;
  options.revision = wanted->commit;
  options.cache_dir = wanted->options.cache_dir;
  options.local_dir = wanted->options.local_dir;
  options.force_download = wanted->options.force_download;
  options.token = wanted->options.token;
  options.observer = wanted->options.observer;
  file_facts facts;
  facts.commit = wanted->commit;
  facts.etag = entry.lfs ? entry.lfs->sha256 : entry.oid;
  facts.size = entry.lfs ? entry.lfs->size : entry.size;
  std::optional<file_facts> known(std::move(facts));
  auto downloading = download_file(wanted->shared, wanted->repo_id, entry.path, std::move(options),
                                   std::move(known));
  co_await std::move(downloading);
}

awaitable<void> fetch_files(snapshot_ptr wanted) {
  auto task = [wanted](std::size_t index) { return fetch_file(wanted, index); };
  auto fetching =
      io::for_each_bounded(wanted->files.size(), wanted->options.max_workers, std::move(task));
  co_await std::move(fetching);
}

std::filesystem::path folder_of(const snapshot& wanted, const std::string& commit) {
  if (!wanted.options.local_dir.empty()) return wanted.options.local_dir;
  return wanted.cache.layout().snapshot(commit);
}

/// After all files: what a ref names is complete, unless the patterns left something out.
void write_ref(const snapshot& wanted) {
  if (wanted.options.local_dir.empty())
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
std::vector<std::string> lacking(const snapshot& wanted, const std::string& commit,
                                 const std::filesystem::path& folder) {
  std::vector<std::string> names;
  auto stored = cache::read_tree(tree_path(wanted, commit));
  if (!stored) return names;
  std::error_code ignored;
  for (const auto& entry : select(wanted, std::move(*stored)))
    if (!std::filesystem::is_regular_file(folder / entry.path, ignored))
      names.push_back(entry.path);
  return names;
}

[[noreturn]] void throw_incomplete(const snapshot& wanted, const std::vector<std::string>& names) {
  std::string text = "the snapshot of " + wanted.repo_id + " at " + wanted.options.revision +
                     " is incomplete; it lacks " + std::to_string(names.size()) + " files:";
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 3); ++i) text += ' ' + names[i];
  throw error(errc::local_entry_not_found, text);
}

/// What is there of the revision, when the Hub cannot be asked for it (hub-protocol, section 5.4).
std::filesystem::path find_local(const snapshot& wanted, const std::exception_ptr& failure) {
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
  auto listing = list_files(wanted);
  co_await std::move(listing);
  auto dropping = drop_cached(wanted);
  co_await std::move(dropping);
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

}  // namespace cohub::transfer
