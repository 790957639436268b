#include "transfer/commit/commit_lookup.hpp"

#include "cohub/error.hpp"

#include "core/trim.hpp"
#include "hub/ref_replies.hpp"
#include "hub/routes.hpp"
#include "transfer/api_call.hpp"
#include "transfer/paths_info.hpp"
#include "transfer/tree_listing.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

constexpr std::size_t paths_compared = 100;

/// As Hubs keep it: without blanks around it.
std::string_view title_of(std::string_view message) {
  message.remove_prefix(std::min(message.find_first_not_of(" \t\r\n"), message.size()));
  return core::trim(message.substr(0, message.find_first_of("\r\n")));
}

/// Hubs add to it what the large files of a commit need.
constexpr std::string_view attributes_path = ".gitattributes";

commit_info describe(const context& shared, const commit_in_progress& commit, std::string oid) {
  commit_info info;
  info.commit_url = hub::routes::repo_page(shared.endpoint, commit.options.type, commit.repo_id) +
                    "/commit/" + oid;
  info.oid = std::move(oid);
  return info;
}

/// The commits of the branch that came after `commit.head`, newest first, as far as one page shows
/// them.
awaitable<std::vector<git_commit_info>> newer_commits(context_ptr shared, commit_ptr commit) {
  const auto& options = commit->options;
  const auto url =
      hub::routes::commits(shared->endpoint, options.type, commit->repo_id, options.revision);
  const std::string doing = "looking for a commit in " + commit->repo_id;
  auto what = hub_request(*shared, http::method::get, url, commit->token);
  auto commits = co_await call_for(shared, std::move(what), doing, hub::read_commits);
  const auto known = std::find_if(commits.begin(), commits.end(), [&](const git_commit_info& each) {
    return each.commit_id == commit->head;
  });
  commits.erase(known, commits.end());
  co_return commits;
}

/// The files that the commit adds, and the folders that they are in: these exist after it, also
/// where it deletes them first.
std::unordered_set<std::string_view> paths_filled(const commit_plan& plan) {
  std::unordered_set<std::string_view> filled;
  for (const auto& add : plan.adds) {
    if (add.dropped()) continue;
    std::string_view path = add.path;
    while (filled.insert(path).second) {
      const auto slash = path.rfind('/');
      if (slash == path.npos) break;
      path = path.substr(0, slash);
    }
  }
  return filled;
}

/// Whether the tree of a commit is as this one would have left it, by a sample of its paths.
awaitable<bool> has_our_changes(context_ptr shared, commit_ptr commit, std::string oid) {
  const auto& plan = *commit->plan;
  std::vector<std::string> paths;
  std::unordered_map<std::string, const planned_add*> added;
  const planned_add* attributes = nullptr;
  for (const auto& add : plan.adds) {
    if (add.dropped() || added.size() == paths_compared) continue;
    if (add.path == attributes_path) {
      attributes = &add;
      continue;
    }
    added.emplace(add.path, &add);
    paths.push_back(add.path);
  }
  const auto filled = paths_filled(plan);
  for (const auto& removal : plan.deletes)
    if (paths.size() < 2 * paths_compared && !filled.contains(removal.path))
      paths.push_back(removal.path);
  if (paths.empty() && attributes != nullptr) {
    added.emplace(attributes->path, attributes);
    paths.push_back(attributes->path);
  }
  get_paths_info_options options;
  options.type = commit->options.type;
  options.revision = std::move(oid);
  options.token = commit->token;
  const auto entries =
      co_await get_paths_info(shared, commit->repo_id, std::move(paths), std::move(options));
  std::size_t same = 0;
  for (const auto& entry : entries) {
    const auto found = added.find(entry.path);
    if (found == added.end()) {
      // A folder whose files were all named for deletion is gone, too.
      co_return false;
    }
    const auto& add = *found->second;
    const bool equal = add.mode == hub::upload_mode::lfs
                           ? entry.lfs && entry.lfs->sha256 == add.sha256
                           : entry.oid == add.sent_id;
    if (!equal) co_return false;
    ++same;
  }
  co_return same == added.size();
}

}  // namespace

awaitable<commit_info> find_head(context_ptr shared, commit_ptr commit) {
  repo_info_options options;
  options.type = commit->options.type;
  options.revision = commit->options.revision;
  options.expand.emplace_back("sha");  // else all files come with it
  options.token = commit->token;
  const auto repo = co_await fetch_repo_info(shared, commit->repo_id, std::move(options));
  auto info = describe(*shared, *commit, repo.sha);
  info.unchanged = true;
  co_return info;
}

awaitable<std::optional<commit_info>> find_made_commit(context_ptr shared, commit_ptr commit) {
  const auto commits = co_await newer_commits(shared, commit);
  std::optional<commit_info> made;
  for (const auto& each : commits) {
    if (title_of(each.title) != title_of(commit->message)) continue;
    const bool ours = co_await has_our_changes(shared, commit, each.commit_id);
    if (!ours) continue;
    made = describe(*shared, *commit, each.commit_id);
    break;
  }
  co_return made;
}

}  // namespace cohub::transfer
