#include "transfer/snapshot/snapshot_fallback.hpp"

#include "cohub/error.hpp"

#include "cache/local_dir.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "transfer/not_cached.hpp"

#include <sys/stat.h>

#include <system_error>
#include <utility>

namespace cohub::transfer {

namespace {

/// What the folder lacks by the stored listing; nothing where there is no listing to tell.
std::optional<absent_files> lacking(const snapshot_request& wanted, const std::string& commit,
                                    const std::filesystem::path& folder,
                                    const std::stop_token& stop) {
  auto stored = cache::tree_reader::open(wanted.tree_path(commit));
  if (!stored) return {};
  try {
    return absent_of(wanted, folder, *stored, stop);
  } catch (const error&) {
    return {};
  }
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
  const auto absent = lacking(wanted, *commit, folder, stop);
  if (absent && absent->count > 0) throw_incomplete(wanted, *absent);
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
  std::optional<absent_files> absent;
  if (commit) absent = lacking(wanted, *commit, local.root(), stop);
  if (absent && absent->count > 0) throw_incomplete(wanted, *absent);
  auto text = "the Hub was not asked for " + wanted.repo_id + " at " + wanted.options.revision +
              ": " + local.root().string() + " is given out as it is, ";
  text += absent ? "with all files of " + *commit : "though nothing tells whether it is complete";
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

}  // namespace

absent_files absent_of(const snapshot_request& wanted, const std::filesystem::path& folder,
                       cache::tree_reader& listing, const std::stop_token& stop) {
  constexpr std::size_t named = 3;
  absent_files absent;
  io::file opened;
  try {
    opened = io::file(folder, io::file::mode::read);
  } catch (const error&) {  // then nothing is there
  }
  const auto is_there = [&opened](const std::string& path) {
    struct stat status {};
    return opened.is_open() && ::fstatat(opened.native_handle(), path.c_str(), &status, 0) == 0 &&
           S_ISREG(status.st_mode);
  };
  listing.rewind();
  for (auto entries = listing.next(); entries; entries = listing.next())
    for (auto& file : select_files(wanted, *entries, stop)) {
      if (is_there(file.path)) continue;
      ++absent.count;
      if (absent.some.size() < named) absent.some.push_back(std::move(file.path));
    }
  return absent;
}

void throw_incomplete(const snapshot_request& wanted, const absent_files& absent) {
  std::string text = "the snapshot of " + wanted.repo_id + " at " + wanted.options.revision +
                     " is incomplete; it lacks " + std::to_string(absent.count) + " files:";
  for (const auto& name : absent.some) text += ' ' + name;
  throw error(errc::incomplete_snapshot, text);
}

awaitable<local_snapshot> look_for_local(snapshot_ptr wanted, std::exception_ptr failure) {
  auto work = [wanted, failure = std::move(failure)](const std::stop_token& stop) {
    local_snapshot found;
    try {
      found.folder = find_local(*wanted, failure, stop);
    } catch (const error&) {
      found.failure = std::current_exception();
    }
    return found;
  };
  co_return co_await io::on_pool(wanted->shared->pool, std::move(work));
}

}  // namespace cohub::transfer
