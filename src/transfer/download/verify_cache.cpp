#include "transfer/download/verify_cache.hpp"

#include "cohub/error.hpp"

#include "cache/repo_cache.hpp"
#include "cache/snapshot_walk.hpp"
#include "core/ascii.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "transfer/download/whole_file.hpp"
#include "transfer/tree_listing.hpp"

#include <map>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace fs = std::filesystem;

namespace {

/// Files that one job of the pool hashes at most.
constexpr std::size_t group_size = 64;

/// What is compared, and to what.
struct local_root {
  fs::path path{};
  std::string revision{};
  bool is_local_dir = false;
};

struct comparison {
  std::string path{};
  fs::path file{};
  std::string expected{};
  hub::etag_kind kind = hub::etag_kind::git_sha1;
  std::uint64_t size = 0;  // as the folder has it
  std::string actual{};
  std::string reason{};
};

[[noreturn]] void refuse(const std::string& repo_id, const std::string& why) {
  throw error(errc::local_entry_not_found, "verifying " + repo_id + ": " + why);
}

/// The only snapshot, where no ref tells which one is meant.
std::string only_snapshot(const cache::repo_layout& layout, const std::string& repo_id) {
  std::vector<cache_warning> ignored;
  std::vector<std::string> commits;
  for (const auto& name : cache::list_names(layout.snapshots(), ignored))
    if (hub::is_commit_id(name.string())) commits.push_back(name.string());
  if (commits.size() == 1) return commits.front();
  refuse(repo_id, commits.empty() ? "no snapshot of it is in the cache"
                                  : "there are several snapshots and no ref main: name a revision");
}

local_root find_root(const context& shared, const std::string& repo_id,
                     const verify_repo_checksums_options& options) {
  local_root root;
  std::error_code ignored;
  if (!options.local_dir.empty()) {
    root.is_local_dir = true;
    root.path = fs::absolute(core::expand_home(options.local_dir));
    root.revision = options.revision.empty() ? "main" : options.revision;
    if (!fs::is_directory(root.path, ignored))
      refuse(repo_id, "there is no folder " + root.path.string());
    return root;
  }
  const cache::repo_cache cached(
      cache::repo_layout(shared.cache_for(options.cache_dir), options.type, repo_id));
  auto commit = cached.resolve(options.revision.empty() ? "main" : options.revision);
  if (!commit && !options.revision.empty())
    refuse(repo_id, "the cache does not know its revision " + options.revision);
  if (!commit) commit = only_snapshot(cached.layout(), repo_id);
  root.path = cached.layout().snapshot(*commit);
  root.revision = *commit;
  if (!fs::is_directory(root.path, ignored))
    refuse(repo_id, "there is no snapshot " + root.path.string() + "; download it first");
  return root;
}

/// The files of a folder by their path in the repository.
std::map<std::string, fs::path> list_files(const local_root& root, const std::stop_token& stop) {
  std::map<std::string, fs::path> files;
  std::vector<cache_warning> ignored;
  cache::walk_files(root.path, ignored, [&](const fs::path& file, const std::string& name) {
    io::throw_if_stopped(stop);
    // Bookkeeping of downloads to a local folder.
    if (root.is_local_dir && name.starts_with(".cache/huggingface/")) return;
    std::error_code gone;
    if (fs::is_regular_file(file, gone)) files.emplace(name, file);
  });
  return files;
}

awaitable<std::map<std::string, tree_entry>> list_remote(context_ptr shared, std::string repo_id,
                                                         std::string revision,
                                                         verify_repo_checksums_options options) {
  list_repo_tree_options of;
  of.type = options.type;
  of.revision = std::move(revision);
  of.recursive = true;
  of.token = options.token;
  auto pages = list_repo_tree(shared, std::move(repo_id), std::move(of));
  std::map<std::string, tree_entry> files;
  for (;;) {
    auto entry = co_await pages.next();
    if (!entry) break;
    if (entry->type != tree_entry::kind::file) continue;
    auto path = entry->path;
    files.insert_or_assign(std::move(path), std::move(*entry));
  }
  co_return files;
}

/// Sorts the names of both sides; yields what is to be hashed. Blocking, for the sizes.
std::vector<comparison> compare_names(folder_verification& outcome,
                                      const std::map<std::string, tree_entry>& remote,
                                      const std::map<std::string, fs::path>& local,
                                      const std::stop_token& stop) {
  std::vector<comparison> both;
  for (const auto& [path, entry] : remote) {
    io::throw_if_stopped(stop);
    const auto here = local.find(path);
    if (here == local.end()) {
      outcome.missing_paths.push_back(path);
      continue;
    }
    comparison one;
    one.path = path;
    one.file = here->second;
    if (entry.lfs) one.kind = hub::etag_kind::sha256;
    one.expected = core::lower(entry.lfs ? entry.lfs->sha256 : entry.oid);
    std::error_code gone;
    one.size = fs::file_size(here->second, gone);
    if (gone) one.size = 0;
    both.push_back(std::move(one));
  }
  for (const auto& [path, file] : local)
    if (!remote.contains(path)) outcome.extra_paths.push_back(path);
  outcome.checked_count = both.size();
  return both;
}

/// Hashes a file that takes more than one job.
awaitable<void> hash_large(context_ptr shared, std::shared_ptr<std::vector<comparison>> files,
                           std::size_t index) {
  auto& one = (*files)[index];
  try {
    one.actual = co_await hash_whole(shared, one.file, one.kind);
  } catch (const error& e) {
    one.reason = e.what();
  }
}

/// Hashes small files in one job.
awaitable<void> hash_group(context_ptr shared, std::shared_ptr<std::vector<comparison>> files,
                           std::size_t begin, std::size_t end) {
  auto work = [files, begin, end] {
    for (auto i = begin; i < end; ++i) {
      auto& one = (*files)[i];
      try {
        file_hashing running(one.file, one.kind);
        while (running.step()) {
        }
        one.actual = running.hex();
      } catch (const error& e) {
        one.reason = e.what();
      }
    }
  };
  co_await io::on_pool(shared->pool, std::move(work));
}

/// Ranges of files that make one job together, or are one large file.
std::vector<std::pair<std::size_t, std::size_t>> group(const std::vector<comparison>& files) {
  std::vector<std::pair<std::size_t, std::size_t>> groups;
  for (std::size_t begin = 0; begin < files.size();) {
    auto end = begin;
    std::uint64_t bytes = 0;
    while (end < files.size() && end - begin < group_size &&
           (end == begin || bytes + files[end].size <= whole_file_piece))
      bytes += files[end++].size;
    groups.emplace_back(begin, end);
    begin = end;
  }
  return groups;
}

}  // namespace

awaitable<folder_verification> verify_repo_checksums(context_ptr shared, std::string repo_id,
                                                     verify_repo_checksums_options options) {
  if (!options.local_dir.empty() && !options.cache_dir.empty())
    throw error(errc::invalid_argument,
                "verifying " + repo_id + ": local_dir and cache_dir exclude each other");
  if (options.max_workers == 0)
    throw error(errc::invalid_argument, "verify_repo_checksums_options::max_workers must not be 0");
  auto finding = [shared, repo_id, options] { return find_root(*shared, repo_id, options); };
  const auto root = co_await io::on_pool(shared->pool, std::move(finding));
  const auto remote = co_await list_remote(shared, repo_id, root.revision, options);
  folder_verification outcome;
  outcome.revision = root.revision;
  outcome.verified_path = root.path;
  // Lends what this frame has: the pool is done before it goes on.
  auto listing = [&outcome, &remote, &root](std::stop_token stop) {
    return std::make_shared<std::vector<comparison>>(
        compare_names(outcome, remote, list_files(root, stop), stop));
  };
  const auto files = co_await io::on_pool(shared->pool, std::move(listing));
  const auto groups = group(*files);
  auto task = [shared, files, groups](std::size_t index) {
    const auto [begin, end] = groups[index];
    if (end - begin == 1 && (*files)[begin].size > whole_file_piece)
      return hash_large(shared, files, begin);
    return hash_group(shared, files, begin, end);
  };
  co_await io::for_each_bounded(groups.size(), options.max_workers, std::move(task));

  for (auto& one : *files) {
    if (one.actual == one.expected) continue;
    checksum_mismatch mismatch;
    mismatch.path = std::move(one.path);
    mismatch.expected = std::move(one.expected);
    mismatch.actual = std::move(one.actual);
    mismatch.algorithm = one.kind == hub::etag_kind::sha256 ? "sha256" : "git-sha1";
    mismatch.reason = std::move(one.reason);
    outcome.mismatches.push_back(std::move(mismatch));
  }
  co_return outcome;
}

}  // namespace cohub::transfer
