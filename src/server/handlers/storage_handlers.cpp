#include "core/byte_range.hpp"
#include "core/hex.hpp"
#include "core/url.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/git/git_repository.hpp"
#include "server/git/git_rewrite.hpp"
#include "server/git/lfs_inventory.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/permissions.hpp"
#include "server/handlers/repo_measures.hpp"
#include "server/handlers/request_json.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

/// What repositories take up: their large objects, listed and deleted (hub-protocol, section 6.2).
namespace cohub::server {

namespace {

constexpr std::size_t objects_a_page = 1000;
constexpr std::size_t deletions_limit = 1000;

/// The large objects that a repository has, with where they are named.
std::map<std::string, lfs_mention> inventory_of(const hub_store& store, const call& what) {
  auto mentions = find_lfs_mentions(store.repos.path_of(what.type, what.id));
  std::erase_if(mentions, [&](const auto& each) {
    return !store.object_size(what.type, what.id, each.first);
  });
  for (const auto& sha256 : store.repos.objects_of(what.type, what.id))
    mentions.try_emplace(sha256);
  return mentions;
}

std::string next_page(const call& what, std::size_t skip) {
  return what.endpoint + "/api/" + std::string(hub::plural(what.type)) + '/' + what.id +
         "/lfs-files?cursor=" + std::to_string(skip);
}

/// The objects that a body wants deleted.
std::set<std::string> asked_deletions(const boost::json::object& deletions) {
  const auto* list = deletions.if_contains("sha");
  if (list == nullptr || !list->is_array()) throw bad_request("\"deletions.sha\" is not a list");
  if (list->get_array().size() > deletions_limit)
    throw failure(413, {}, "Too many objects: at most 1000 may be deleted at once");
  std::set<std::string> sha256s;
  for (const auto& item : list->get_array()) {
    const std::string name = item.is_string() ? std::string(item.get_string()) : std::string();
    if (!core::is_hex(name, 64)) throw bad_request("Invalid object id");
    sha256s.insert(name);
  }
  return sha256s;
}

/// Points the refs to commits without those objects. Under the repository's lock.
void rewrite_history(hub_store& store, const call& what, const std::set<std::string>& sha256s) {
  const auto path = store.repos.path_of(what.type, what.id);
  git_repository repository(path);
  for (const auto& ref : rewrite_without(path, sha256s))
    repository.set_ref(ref.name, ref.commit, store.temporary);
}

/// When the repository was committed to last; when it was made, where that cannot be read.
std::string updated_at(const hub_store& store, const repo_record& record) {
  try {
    const git_repository repository(store.repos.path_of(record.type, record.id));
    const auto head = repository.resolve("main");
    if (const auto commit = head ? repository.commit_info(*head) : std::nullopt)
      return timestamp_of(commit->time);
  } catch (const std::exception&) {
    // Deleted in between, or damaged: the others are listed all the same.
  }
  return record.created_at;
}

}  // namespace

reply list_lfs_files(hub_store& store, const call& what) {
  require_writable(store, what);
  const auto all = inventory_of(store, what);
  const auto skip = static_cast<std::size_t>(std::min<std::uint64_t>(
      core::parse_decimal(core::query_value(what.query, "cursor")).value_or(0), all.size()));
  auto at = std::next(all.begin(), static_cast<std::ptrdiff_t>(skip));
  boost::json::array list;
  for (; at != all.end() && list.size() < objects_a_page; ++at) {
    const auto& [sha256, mention] = *at;
    boost::json::object entry;
    entry["fileOid"] = sha256;
    entry["filename"] = mention.path;
    entry["oid"] = sha256;
    entry["pushedAt"] = store.repos.pushed_at(what.type, what.id, sha256);
    if (!mention.ref.empty()) entry["ref"] = mention.ref;
    entry["size"] = store.objects.size_of(sha256).value_or(mention.size);
    list.push_back(std::move(entry));
  }
  auto answer = json_reply(list);
  if (at != all.end())
    answer.headers.set("Link", '<' + next_page(what, skip + list.size()) + ">; rel=\"next\"");
  return answer;
}

reply delete_lfs_files(hub_store& store, const call& what) {
  require_writable(store, what);
  const auto body = require_object(what.body);
  const auto* deletions = body.if_contains("deletions");
  if (deletions == nullptr || !deletions->is_object())
    throw bad_request("\"deletions\" is not an object");
  const auto sha256s = asked_deletions(deletions->get_object());
  {
    const auto writer = store.repos.writer(what.type, what.id);
    const std::lock_guard lock(*writer);
    if (hub::flag_or(deletions->get_object(), "rewriteHistory"))
      rewrite_history(store, what, sha256s);
  }
  // Nobody gets an object while it is decided whether anybody has it.
  const std::unique_lock guard(store.objects_in_use);
  std::vector<std::string> kept;
  for (const auto& [sha256, mention] : inventory_of(store, what))
    if (!sha256s.contains(sha256)) kept.push_back(sha256);
  store.repos.keep_objects(what.type, what.id, kept);
  store.remove_unheld({sha256s.begin(), sha256s.end()});
  return json_reply(boost::json::object());
}

reply list_own_repos(hub_store& store, const call& what) {
  const identity who = require_identity(store, what);
  const std::string owner = what.id.empty() ? who.name : what.id;
  if (!who.owns(owner)) throw failure(403, {}, "You are not a member of " + owner);
  struct own_repo {
    repo_record record{};
    std::uint64_t storage = 0;
    std::string updated_at{};
  };
  std::vector<own_repo> own;
  std::uint64_t total = 0;
  for (const auto type :
       {repo_type::model, repo_type::dataset, repo_type::space, repo_type::kernel})
    for (auto& record : store.repos.all(type)) {
      if (record.owner() != owner) continue;
      own_repo each;
      each.storage = storage_of(store, type, record.id);
      each.updated_at = updated_at(store, record);
      each.record = std::move(record);
      total += each.storage;
      own.push_back(std::move(each));
    }
  std::stable_sort(own.begin(), own.end(),
                   [](const own_repo& a, const own_repo& b) { return a.storage > b.storage; });
  boost::json::array list;
  for (const auto& each : own) {
    boost::json::object entry;
    entry["id"] = each.record.id;
    entry["type"] = hub::singular(each.record.type);
    entry["updatedAt"] = each.updated_at;
    entry["visibility"] = each.record.visibility();
    entry["storage"] = each.storage;
    entry["storagePercent"] =
        total == 0 ? 0.0 : 100.0 * static_cast<double>(each.storage) / static_cast<double>(total);
    list.push_back(std::move(entry));
  }
  return json_reply(list);
}

}  // namespace cohub::server
