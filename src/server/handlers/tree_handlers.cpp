#include "core/base64.hpp"
#include "core/byte_range.hpp"
#include "core/url.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_replies.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/git/git_repository.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/permissions.hpp"
#include "server/handlers/request_json.hpp"
#include "server/handlers/target.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace cohub::server {

namespace {

constexpr std::size_t page_size = 1000;
constexpr std::size_t expanded_page_size = 50;
constexpr std::size_t asked_paths_limit = 1000;

boost::json::object last_commit_json(const git_commit_info& commit) {
  boost::json::object entry;
  entry["id"] = commit.id;
  entry["title"] = commit.title;
  entry["date"] = timestamp_of(commit.time);
  return entry;
}

/// The listing, with the commit that touched each entry last if that is asked for.
boost::json::array listing_json(const git_repository& repository, const std::string& commit,
                                const std::vector<tree_entry>& entries, bool expand) {
  std::map<std::string, git_commit_info> touched;
  if (expand) {
    std::vector<std::string> paths;
    for (const auto& entry : entries) paths.push_back(entry.path);
    touched = repository.last_commits(commit, paths);
  }
  boost::json::array list;
  for (const auto& entry : entries) {
    auto value = hub::write_tree_entry(entry);
    if (const auto found = touched.find(entry.path); found != touched.end())
      value.as_object()["lastCommit"] = last_commit_json(found->second);
    list.push_back(std::move(value));
  }
  return list;
}

std::vector<std::string> read_paths(const call& what, bool& expand) {
  std::vector<std::string> paths;
  if (!what.headers.get("Content-Type").starts_with("application/json")) {
    expand = query_flag(what.body, "expand");
    return query_values(what.body, "paths");
  }
  const auto object = require_object(what.body);
  expand = hub::flag_or(object, "expand");
  const auto* list = object.if_contains("paths");
  if (list == nullptr || !list->is_array()) throw bad_request("\"paths\" is not a list");
  for (const auto& path : list->as_array()) {
    if (!path.is_string()) throw bad_request("\"paths\" holds something that is not text");
    paths.emplace_back(path.as_string());
  }
  return paths;
}

/// The next page names the commit, so that a push in between does not mix two listings.
std::string next_page(const call& what, const std::string& commit, const std::string& last,
                      std::size_t limit) {
  std::string url = what.endpoint + "/api/" + std::string(hub::plural(what.type)) + '/' + what.id +
                    "/tree/" + commit;
  if (!what.path.empty()) url += '/' + core::percent_encode(what.path);
  url += query_flag(what.query, "recursive") ? "?recursive=true" : "?recursive=false";
  url += query_flag(what.query, "expand") ? "&expand=true" : "&expand=false";
  url += "&limit=" + std::to_string(limit);
  return url + "&cursor=" + core::percent_encode(core::base64_encode(last));
}

}  // namespace

reply list_tree(hub_store& store, const call& what) {
  require_readable(store, what);
  const git_repository repository(store.repos.path_of(what.type, what.id));
  const std::string commit = require_commit(repository, what);
  const bool expand = query_flag(what.query, "expand");
  const std::size_t largest = expand ? expanded_page_size : page_size;
  std::size_t limit = largest;
  if (const auto asked = core::parse_decimal(core::query_value(what.query, "limit")))
    limit = static_cast<std::size_t>(std::clamp<std::uint64_t>(*asked, 1, largest));
  std::string after;
  if (const auto cursor = core::query_value(what.query, "cursor"); !cursor.empty()) {
    const auto decoded = core::base64_decode(cursor);
    if (!decoded) throw bad_request("Invalid cursor");
    after = *decoded;
  }
  std::vector<tree_entry> entries;
  std::string last;
  bool more = false;
  const bool recursive = query_flag(what.query, "recursive");
  repository.list(commit, what.path, recursive, after, [&](tree_entry entry) {
    if (entries.size() == limit) {
      more = true;
      return false;
    }
    last = entry.path;
    entries.push_back(std::move(entry));
    return true;
  });
  reply answer = json_reply(listing_json(repository, commit, entries, expand));
  if (more)
    answer.headers.set("Link", '<' + next_page(what, commit, last, limit) + ">; rel=\"next\"");
  answer.headers.set("X-Repo-Commit", commit);
  return answer;
}

reply get_paths_info(hub_store& store, const call& what) {
  require_readable(store, what);
  const git_repository repository(store.repos.path_of(what.type, what.id));
  const std::string commit = require_commit(repository, what);
  bool expand = false;
  const auto paths = read_paths(what, expand);
  if (paths.size() > asked_paths_limit)
    throw failure(413, {}, "Too many paths: at most 1000 may be asked at once");
  std::vector<tree_entry> entries;
  for (std::string path : paths) {
    while (path.ends_with('/')) path.pop_back();
    if (path.empty() || path.find('\0') != path.npos) continue;
    if (auto entry = repository.find(commit, path)) entries.push_back(std::move(*entry));
  }
  return json_reply(listing_json(repository, commit, entries, expand));
}

}  // namespace cohub::server
