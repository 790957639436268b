#include "cache/deletion.hpp"

#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "cache/layout.hpp"
#include "cache/leftover.hpp"
#include "cache/snapshot_walk.hpp"
#include "hub/repo_id.hpp"
#include "io/file.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace cohub::cache {

namespace fs = std::filesystem;

namespace {

/// Locks held at a time: one descriptor each.
constexpr std::size_t blob_batch = 128;
constexpr std::uint64_t ref_limit = 4096;

/// The names of `path` below `folder`; nothing if it is not clearly below.
std::optional<std::vector<std::string>> names_below(const fs::path& path, const fs::path& folder) {
  auto base = folder.begin();
  auto part = path.begin();
  for (; base != folder.end() && part != path.end() && *base == *part; ++base) ++part;
  if (base != folder.end() && !base->empty()) return {};
  std::vector<std::string> names;
  for (; part != path.end(); ++part) {
    if (part->empty() || *part == "." || *part == ".." || part->is_absolute()) return {};
    names.push_back(part->string());
  }
  if (names.empty()) return {};
  return names;
}

/// The commits that the refs of a repository name.
std::set<std::string> named_commits(const fs::path& repo) {
  std::set<std::string> commits;
  std::vector<cache_warning> ignored;
  walk_files(repo / "refs", ignored, [&](const fs::path& file, const std::string&) {
    try {
      auto text = io::read_file(file, ref_limit);
      text.erase(text.find_last_not_of(" \t\r\n") + 1);
      commits.insert(std::move(text));
    } catch (const error&) {  // went meanwhile, or is no ref
    }
  });
  return commits;
}

}  // namespace

deletion::deletion(const delete_cache_strategy& plan) {
  std::error_code failure;
  root_ = fs::canonical(plan.cache_dir, failure);
  if (failure)
    throw error(errc::local_entry_not_found,
                "deleting from the cache: there is no " + plan.cache_dir.string());
  for (const auto& path : plan.repos)
    add(plan.cache_dir, path, [](repo_work& work, const names& parts) {
      return parts.size() == 1 && (work.whole = true);
    });
  for (const auto& path : plan.refs)
    add(plan.cache_dir, path, [](repo_work& work, names parts) {
      if (parts.size() < 3 || parts[1] != "refs") return false;
      work.refs.push_back(std::move(parts));
      return true;
    });
  for (const auto& path : plan.snapshots)
    add(plan.cache_dir, path, [](repo_work& work, const names& parts) {
      if (parts.size() != 3 || parts[1] != "snapshots") return false;
      work.snapshots.push_back(parts[2]);
      return true;
    });
  for (const auto& path : plan.blobs)
    add(plan.cache_dir, path, [](repo_work& work, const names& parts) {
      if (parts.size() != 3 || parts[1] != "blobs") return false;
      work.blobs.push_back(parts[2]);
      return true;
    });
  for (const auto& path : plan.incomplete_files)
    add(plan.cache_dir, path, [](repo_work& work, names parts) {
      const auto& name = parts.back();
      const bool known = parts.size() <= 2 ? io::is_temporary_name(name)
                         : parts[1] == "refs"
                             ? is_temporary_ref(name)
                             : parts.size() == 3 && parts[1] == "blobs" && leftover_kind(name);
      if (known) work.incomplete.push_back(std::move(parts));
      return known;
    });
  for (const auto& [repo, work] : repos_) plan_repo(repo, work);
}

void deletion::add(const fs::path& cache_dir, const fs::path& path,
                   const std::function<bool(repo_work&, names)>& take) {
  auto parts = names_below(path, cache_dir);
  const bool in_root = parts && parts->size() == 1 && io::is_temporary_name(parts->front());
  if (parts && (in_root || parts->front().find("--") != std::string::npos)) {
    auto& work = repos_[in_root ? std::string() : parts->front()];
    if (take(work, std::move(*parts))) return;
  }
  keep(path, "is not a place in the cache where such things are", false);
}

void deletion::plan_repo(const std::string& repo, const repo_work& work) {
  if (work.whole) steps_.push_back([this, repo] { begin_whole(repo); });
  for (const auto& ref : work.refs)
    steps_.push_back([this, repo, ref, &work] { remove_ref(repo, ref, work.snapshots); });
  for (const auto& name : work.snapshots)
    steps_.push_back([this, repo, name] { remove_snapshot(repo, name, true); });
  plan_blobs(steps_, repo, work.blobs, true);
  for (const auto& path : work.incomplete)
    steps_.push_back([this, path] { remove_incomplete(path, true); });
  if (work.whole)
    steps_.push_back([this, repo] { result_.deleted += end_whole(repo) ? 1 : 0; });
  else if (!repo.empty())
    steps_.push_back([this, repo] { remove_if_empty(repo); });
}

void deletion::plan_blobs(std::deque<std::function<void()>>& steps, const std::string& repo,
                          const names& blobs, bool planned) {
  for (std::size_t begin = 0; begin < blobs.size(); begin += blob_batch) {
    const auto end = std::min(begin + blob_batch, blobs.size());
    names batch(blobs.begin() + static_cast<std::ptrdiff_t>(begin),
                blobs.begin() + static_cast<std::ptrdiff_t>(end));
    steps.push_back(
        [this, repo, batch = std::move(batch), planned] { remove_blobs(repo, batch, planned); });
  }
}

bool deletion::step() {
  if (steps_.empty()) return false;
  const auto work = std::move(steps_.front());
  steps_.pop_front();
  work();
  return true;
}

void deletion::attempt(const fs::path& path, const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& e) {
    keep(path, e.what(), false);
  }
}

void deletion::keep(const fs::path& path, std::string reason, bool in_use) {
  delete_cache_result::kept left;
  left.path = path;
  left.reason = std::move(reason);
  left.in_use = in_use;
  result_.left.push_back(std::move(left));
}

std::optional<folder_handle> deletion::open_repo(const std::string& repo) {
  const folder_handle root(root_);
  const auto found = root.status(repo);
  if (found && S_ISLNK(found->st_mode))
    throw error(errc::invalid_path,
                (root_ / repo).string() + " is a link: what it leads to is not deleted");
  return root.find_child(repo);
}

void deletion::remove_ref(const std::string& repo, const names& path, const names& snapshots) {
  fs::path full = root_;
  for (const auto& name : path) full /= name;
  attempt(full, [&] {
    auto folder = open_repo(repo);
    std::vector<folder_handle> way;  // a handle cannot be assigned
    for (std::size_t i = 1; folder && i + 1 < path.size(); ++i) {
      auto next = (way.empty() ? *folder : way.back()).find_child(path[i]);
      if (!next) {
        folder.reset();
      } else {
        way.push_back(std::move(*next));
      }
    }
    const auto found = folder ? way.back().status(path.back()) : std::optional<struct stat>();
    if (found && S_ISREG(found->st_mode) && !snapshots.empty()) {
      auto text = io::read_file(full, ref_limit);
      text.erase(text.find_last_not_of(" \t\r\n") + 1);
      if (std::find(snapshots.begin(), snapshots.end(), text) == snapshots.end()) {
        keep(full, "names another revision by now", true);
        return;
      }
    }
    if (found) way.back().remove_file(path.back());
    ++result_.deleted;
  });
}

void deletion::remove_snapshot(const std::string& repo, const std::string& name,
                               bool named_is_kept) {
  const auto full = root_ / repo / "snapshots" / name;
  attempt(full, [&] {
    const auto folder = open_repo(repo);
    const auto snapshots = folder ? folder->find_child("snapshots") : std::nullopt;
    if (named_is_kept && named_commits(root_ / repo).contains(name)) {
      keep(full, "is named by a ref", true);
      return;
    }
    const auto lock = appearance_lock::attempt(root_ / ".locks" / repo / snapshot_lock_name(name));
    if (!lock) {
      keep(full, "is being downloaded", true);
      return;
    }
    if (snapshots && is_downloading(*folder)) {
      // A file under way may be meant for this snapshot, and its folder was made before it.
      result_.freed_size += snapshots->remove_files_below(name);
      keep(full, "is empty, but stays while something is downloaded to its repository", true);
      return;
    }
    const auto aside = io::temporary_name();
    if (snapshots && snapshots->move(name, *folder, aside))
      result_.freed_size += folder->remove_tree(aside);
    if (named_is_kept) ++result_.deleted;
  });
}

void deletion::remove_blobs(const std::string& repo, const names& blobs, bool planned) {
  const auto folder = root_ / repo / "blobs";
  attempt(folder, [&] {
    const auto opened = open_repo(repo);
    const auto handle = opened ? opened->find_child("blobs") : std::nullopt;
    const auto locks = root_ / ".locks" / repo;
    std::vector<std::pair<std::string, file_lock>> held;
    for (const auto& name : blobs) {
      const auto found = handle ? handle->status(name) : std::optional<struct stat>();
      if (!found) {
        if (planned) ++result_.deleted;
        continue;
      }
      attempt(folder / name, [&] {
        io::create_directories(locks);
        auto lock = try_lock_file(locks / (name + ".lock"));
        if (lock)
          held.emplace_back(name, std::move(*lock));
        else
          keep(folder / name, "is locked by another process", true);
      });
    }
    if (held.empty()) return;
    if (!links_.contains(repo)) {
      links_.clear();  // one after the other
      links_.emplace(repo, blob_links(root_ / repo));
    }
    const auto* const linked = links_.at(repo).current();
    for (const auto& [name, lock] : held) {
      if (linked == nullptr || linked->contains(folder / name)) {
        keep(folder / name,
             linked != nullptr ? "a snapshot links to it"
                               : "the snapshots cannot be read: one of them may link to it",
             linked != nullptr);
        continue;
      }
      attempt(folder / name, [&, &entry = name] {
        result_.freed_size += handle->remove_tree(entry);
        if (planned) ++result_.deleted;
      });
    }
  });
}

void deletion::begin_whole(const std::string& repo) {
  attempt(root_ / repo, [&] {
    const auto folder = open_repo(repo);
    if (!folder) return;
    folder->remove_tree("refs");
    std::deque<std::function<void()>> steps;
    if (const auto snapshots = folder->find_child("snapshots"))
      for (const auto& name : snapshots->names())
        steps.push_back([this, repo, name] { remove_snapshot(repo, name, false); });
    names contents;
    if (const auto blobs = folder->find_child("blobs"))
      for (const auto& name : blobs->names()) {
        if (leftover_kind(name))
          steps.push_back(
              [this, path = names{repo, "blobs", name}] { remove_incomplete(path, false); });
        else
          contents.push_back(name);
      }
    plan_blobs(steps, repo, contents, false);
    steps_.insert(steps_.begin(), std::make_move_iterator(steps.begin()),
                  std::make_move_iterator(steps.end()));
  });
}

/// Whether the folder is gone.
bool deletion::end_whole(const std::string& repo) {
  bool gone = false;
  attempt(root_ / repo, [&] {
    const auto folder = open_repo(repo);
    if (!folder) {
      gone = true;
      return;
    }
    // While something is in use it stays a repository, with all the folders of one.
    if (has_refs(repo)) return;
    const auto remove_empty = [&](const std::string& name) {
      const auto found = folder->status(name);
      if (found && !S_ISDIR(found->st_mode)) folder->remove_file(name);
      return folder->remove_empty_folder(name);
    };
    const auto snapshots = folder->status("snapshots");
    if (snapshots && S_ISDIR(snapshots->st_mode) && !folder->child("snapshots").names().empty())
      return;
    if (!remove_empty("blobs")) return;
    for (const auto& name : folder->names())
      if (name != "snapshots")
        attempt(root_ / repo / name, [&] { result_.freed_size += folder->remove_tree(name); });
    // Without snapshots/ it is no repository to anybody, so that goes last.
    if (!remove_empty("snapshots")) return;
    gone = folder_handle(root_).remove_empty_folder(repo);
  });
  return gone;
}

bool deletion::has_refs(const std::string& repo) const {
  std::vector<cache_warning> odd;
  bool found = false;
  walk_files(root_ / repo / "refs", odd,
             [&](const fs::path&, const std::string&) { found = true; });
  return found || !odd.empty();
}

void deletion::remove_if_empty(const std::string& repo) {
  const auto left = result_.left.size();
  end_whole(repo);
  result_.left.resize(left);  // nobody asked for it
}

}  // namespace cohub::cache
