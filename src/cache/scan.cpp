#include "cache/scan.hpp"

#include "cohub/error.hpp"

#include "cache/leftover.hpp"
#include "cache/snapshot_walk.hpp"
#include "hub/repo_id.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <utility>

namespace cohub::cache {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t ref_limit = 4096;

using kind = cached_incomplete_file_info::kind;

/// "owner/name" and type of a folder name; nothing if it is no repository's.
std::optional<std::pair<repo_type, std::string>> parse_folder_name(const std::string& name) {
  const auto separator = name.find("--");
  if (separator == name.npos) return {};
  const auto type = hub::parse_plural(std::string_view(name).substr(0, separator));
  if (!type) return {};
  std::string id;
  for (std::size_t at = separator + 2; at < name.size();) {
    const bool slash = name.compare(at, 2, "--") == 0;
    id += slash ? '/' : name[at];
    at += slash ? 2 : 1;
  }
  return std::pair(*type, std::move(id));
}

/// Bytes of the files of a folder on its way out.
std::uint64_t size_below(const fs::path& folder) {
  std::uint64_t size = 0;
  std::vector<cache_warning> ignored;
  walk_files(folder, ignored, [&](const fs::path& file, const std::string&) {
    struct stat status {};
    if (::lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode))
      size += static_cast<std::uint64_t>(status.st_size);
  });
  return size;
}

void add_incomplete(std::vector<cached_incomplete_file_info>& files, fs::path path, kind what) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;  // went meanwhile
  cached_incomplete_file_info file;
  file.what = what;
  if (S_ISDIR(status.st_mode))
    file.size_on_disk = size_below(path);
  else if (S_ISREG(status.st_mode))
    file.size_on_disk = what == kind::partial ? allocated_bytes(status)
                                              : static_cast<std::uint64_t>(status.st_size);
  file.file_path = std::move(path);
  files.push_back(std::move(file));
}

std::string trimmed(const std::string& text) {
  constexpr const char* blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The scan of one repository on its way.
class scanner {
 public:
  scanner(fs::path folder, std::stop_token stop)
      : folder_(std::move(folder)), stop_(std::move(stop)) {}

  repo_scan run() {
    const auto name = folder_.filename().string();
    const auto named = parse_folder_name(name);
    // Elsewhere such names are somebody else's business: the folder may be no cache at all.
    if (named || name.starts_with("kernels--")) scan_leftovers();
    struct stat status {};
    if (!named) {
      refuse("is not called like a cached repository");
    } else if (::stat((folder_ / "snapshots").c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
      refuse("has no folder snapshots");
    } else {
      repo_.type = named->first;
      repo_.repo_id = named->second;
      repo_.repo_path = folder_;
      scan_refs();
      scan_snapshots();
      finish();
    }
    return std::move(found_);
  }

 private:
  void refuse(const char* why) {
    auto warning = make_warning(folder_, why);
    warning.repo_ignored = true;
    found_.warnings.push_back(std::move(warning));
  }

  void warn(const fs::path& path, std::string message) {
    found_.warnings.push_back(make_warning(path, std::move(message)));
  }

  void scan_leftovers() {
    for (const auto& name : list_names(folder_, found_.warnings))
      if (io::is_temporary_name(name.string()))
        add_incomplete(found_.incomplete_files, folder_ / name, kind::temporary);
    for (const auto& name : list_names(folder_ / "blobs", found_.warnings))
      if (const auto what = leftover_kind(name.string()))
        add_incomplete(found_.incomplete_files, folder_ / "blobs" / name, *what);
  }

  void scan_refs() {
    const auto refs = folder_ / "refs";
    std::error_code failure;
    const auto type = fs::status(refs, failure).type();
    if (type == fs::file_type::not_found) return;
    if (type != fs::file_type::directory) {
      warn(refs, "is no folder");
      repo_.refs_known = false;
      return;
    }
    const auto before = found_.warnings.size();
    walk_files(refs, found_.warnings,
               [this](const fs::path& file, const std::string& name) { scan_ref(file, name); });
    // Whatever could not be looked at may have named any revision.
    for (auto i = before; i < found_.warnings.size(); ++i)
      if (!understood_.contains(found_.warnings[i].path)) repo_.refs_known = false;
  }

  void scan_ref(const fs::path& file, const std::string& name) {
    io::throw_if_stopped(stop_);
    if (is_clutter(file.filename())) return;
    if (is_temporary_ref(file.filename().string())) {
      add_incomplete(found_.incomplete_files, file, kind::temporary);
      return;
    }
    std::string text;
    try {
      if (!fs::is_regular_file(file)) throw error(errc::invalid_response, "it is no file");
      text = io::read_file(file, ref_limit);
    } catch (const std::exception& e) {
      warn(file, std::string("cannot be read as a ref: ") + e.what());
      return;
    }
    const auto commit = trimmed(text);
    if (!hub::is_commit_id(commit)) {
      warn(file, "holds no commit id");
      return;
    }
    if (commit != text) {
      warn(file, "has blanks around its commit id: clients do not find the revision by it");
      understood_.insert(file);
    }
    refs_[commit].push_back(name);
  }

  void scan_snapshots() {
    const auto snapshots = folder_ / "snapshots";
    const auto before = found_.warnings.size();
    for (const auto& name : list_names(snapshots, found_.warnings)) {
      if (is_clutter(name)) continue;
      std::error_code failure;
      if (fs::symlink_status(snapshots / name, failure).type() == fs::file_type::directory)
        scan_revision(snapshots / name);
      else
        warn(snapshots / name, "is no folder of a snapshot");
    }
    are_snapshots_known_ = found_.warnings.size() - before == dangling_;
  }

  void scan_revision(const fs::path& path) {
    cached_revision_info revision;
    revision.commit_hash = path.filename().string();
    revision.snapshot_path = path;
    std::set<fs::path> counted;
    walk_files(path, found_.warnings, [&](const fs::path& file, const std::string& name) {
      auto info = scan_file(file, name);
      if (!info) return;
      if (counted.insert(info->blob_path).second) revision.size_on_disk += info->size_on_disk;
      revision.last_modified = std::max(revision.last_modified, info->blob_last_modified);
      revision.files.push_back(std::move(*info));
    });
    if (revision.files.empty()) {
      struct stat status {};
      if (::stat(path.c_str(), &status) == 0) revision.last_modified = time_of(status.st_mtim);
    }
    if (const auto named = refs_.find(revision.commit_hash); named != refs_.end()) {
      revision.refs = std::move(named->second);
      std::sort(revision.refs.begin(), revision.refs.end());
      refs_.erase(named);
    }
    repo_.revisions.push_back(std::move(revision));
  }

  std::optional<cached_file_info> scan_file(const fs::path& file, const std::string& name) {
    io::throw_if_stopped(stop_);
    cached_file_info info;
    info.file_name = name;
    info.file_path = file;
    try {
      info.blob_path = resolve_file(folder_, file);
    } catch (const fs::filesystem_error& e) {
      warn(file, "leads to nothing: " + e.code().message());
      ++dangling_;
      return {};
    }
    auto known = blobs_.find(info.blob_path);
    if (known == blobs_.end()) {
      struct stat status {};
      if (::stat(info.blob_path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        warn(file, "leads to no file");
        ++dangling_;
        return {};
      }
      known = blobs_.emplace(info.blob_path, status).first;
    }
    info.size_on_disk = static_cast<std::uint64_t>(known->second.st_size);
    info.blob_last_accessed = time_of(known->second.st_atim);
    info.blob_last_modified = time_of(known->second.st_mtim);
    return info;
  }

  void finish() {
    for (const auto& [commit, names] : refs_)
      for (const auto& name : names)
        warn(folder_ / "refs" / name, "names " + commit + ", which has no snapshot");
    for (const auto& [path, status] : blobs_) {
      repo_.size_on_disk += static_cast<std::uint64_t>(status.st_size);
      repo_.last_accessed = std::max(repo_.last_accessed, time_of(status.st_atim));
      repo_.last_modified = std::max(repo_.last_modified, time_of(status.st_mtim));
    }
    repo_.nb_files = blobs_.size();
    if (blobs_.empty()) {
      struct stat status {};
      if (::stat(folder_.c_str(), &status) == 0) {
        repo_.last_accessed = time_of(status.st_atim);
        repo_.last_modified = time_of(status.st_mtim);
      }
    }
    find_unlinked_blobs();
    found_.repo = std::move(repo_);
  }

  void find_unlinked_blobs() {
    // What a snapshot that cannot be read needs is not known.
    if (!are_snapshots_known_) return;
    std::vector<cache_warning> told;  // by scan_leftovers()
    std::error_code failure;
    const auto blobs =
        fs::canonical(folder_ / "blobs", failure);  // it may be a link to another disk
    if (failure) return;
    for (const auto& name : list_names(blobs, told)) {
      io::throw_if_stopped(stop_);
      cached_blob_info blob;
      blob.blob_path = blobs / name;
      struct stat status {};
      if (is_clutter(name) || leftover_kind(name.string()) || blobs_.contains(blob.blob_path) ||
          ::lstat(blob.blob_path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
        continue;
      blob.size_on_disk = static_cast<std::uint64_t>(status.st_size);
      found_.unlinked_blobs.push_back(std::move(blob));
    }
  }

  fs::path folder_;
  std::stop_token stop_;
  repo_scan found_{};
  cached_repo_info repo_{};
  std::map<std::string, std::vector<std::string>> refs_{};  // by commit
  std::set<fs::path> understood_{};                         // refs that are odd, but clear
  std::map<fs::path, struct stat> blobs_{};
  std::size_t dangling_ = 0;  // links of snapshots, which keep no blob
  bool are_snapshots_known_ = true;
};

}  // namespace

cache_root scan_root(const fs::path& cache_dir) {
  cache_root root;
  std::error_code failure;
  root.path = fs::canonical(cache_dir, failure);
  if (failure)
    throw error(errc::local_entry_not_found, "scanning the cache: there is no " +
                                                 cache_dir.string() +
                                                 " (HF_HUB_CACHE names the cache)");
  if (!fs::is_directory(root.path, failure))
    throw error(errc::invalid_argument,
                "scanning the cache: " + root.path.string() + " is no folder");
  for (const auto& name : list_names(root.path, root.warnings)) {
    const auto path = root.path / name;
    if (is_clutter(name) || name == ".locks" || name == "CACHEDIR.TAG") continue;
    if (io::is_temporary_name(name.string()) && fs::is_regular_file(path, failure)) {
      add_incomplete(root.incomplete_files, path, kind::temporary);
    } else if (fs::is_directory(path, failure)) {
      root.folders.push_back(path);
    } else {
      auto warning = make_warning(path, "is no folder of a repository");
      warning.repo_ignored = true;
      root.warnings.push_back(std::move(warning));
    }
  }
  return root;
}

repo_scan scan_repo(const fs::path& folder, const std::stop_token& stop) {
  std::error_code failure;
  auto resolved = fs::canonical(folder, failure);
  if (failure || resolved == folder) return scanner(folder, stop).run();
  // A repository that lies elsewhere keeps the name that it has here.
  auto scan =
      resolved.filename() == folder.filename() ? scanner(resolved, stop).run() : repo_scan();
  scan.incomplete_files.clear();
  scan.unlinked_blobs.clear();
  auto warning = make_warning(folder, "is a link: what it leads to is shown, but never deleted");
  if (!scan.repo) warning = make_warning(folder, "is a link to a folder of another name");
  warning.repo_ignored = !scan.repo;
  scan.warnings.push_back(std::move(warning));
  return scan;
}

cache_info join_scans(cache_root root, std::vector<repo_scan> scans) {
  cache_info info;
  info.cache_dir = std::move(root.path);
  info.incomplete_files = std::move(root.incomplete_files);
  info.warnings = std::move(root.warnings);
  const auto append = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  for (auto& scan : scans) {
    append(info.incomplete_files, scan.incomplete_files);
    append(info.unlinked_blobs, scan.unlinked_blobs);
    append(info.warnings, scan.warnings);
    if (!scan.repo) continue;
    info.size_on_disk += scan.repo->size_on_disk;
    info.repos.push_back(std::move(*scan.repo));
  }
  return info;
}

}  // namespace cohub::cache
