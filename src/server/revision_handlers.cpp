#include "core/byte_range.hpp"
#include "core/url.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/git_repository.hpp"
#include "server/handlers.hpp"
#include "server/permissions.hpp"
#include "server/target.hpp"

#include <algorithm>
#include <mutex>
#include <string>

namespace cohub::server {

namespace {

constexpr std::uint64_t history_page = 1000;

/// An empty body counts as an empty object: branches are made without one.
boost::json::object optional_object(const std::string& body) {
  if (body.empty()) return {};
  auto parsed = hub::parse_json(body);
  if (!parsed || !parsed->is_object()) throw bad_request("The request's body is not a JSON object");
  return std::move(parsed->as_object());
}

void check_name(const std::string& name) {
  if (name.starts_with("refs/"))
    throw bad_request("Invalid reference name: \"" + name + "\" must not begin with refs/");
  if (!git_repository::is_ref_name("refs/heads/" + name))
    throw bad_request("Invalid reference name: " + name);
}

boost::json::object ref_json(const git_ref& ref, std::size_t prefix) {
  boost::json::object entry;
  entry["name"] = ref.name.substr(prefix);
  entry["ref"] = ref.name;
  entry["targetCommit"] = ref.commit;
  return entry;
}

/// Makes a ref that must not be there yet.
void make_ref(hub_store& store, const call& what, const std::string& name,
              const std::string& starting_point, bool overwrite) {
  const auto writer = store.repos.writer(what.type, what.id);
  const std::lock_guard lock(*writer);
  git_repository repository(store.repos.path_of(what.type, what.id));
  const auto commit = repository.resolve(starting_point);
  if (!commit) throw invalid_revision(starting_point);
  if (!overwrite && repository.ref_target(name))
    throw failure(409, {}, "Reference " + name + " already exists");
  repository.set_ref(name, *commit, store.temporary);
}

reply remove_ref(hub_store& store, const call& what, const std::string& name) {
  const auto writer = store.repos.writer(what.type, what.id);
  const std::lock_guard lock(*writer);
  git_repository repository(store.repos.path_of(what.type, what.id));
  if (!git_repository::is_ref_name(name) || !repository.delete_ref(name))
    throw invalid_revision(what.revision);
  return text_reply("OK");
}

}  // namespace

reply list_refs(hub_store& store, const call& what) {
  require_readable(store, what);
  const git_repository repository(store.repos.path_of(what.type, what.id));
  boost::json::array branches, converts, tags, pull_requests;
  for (const auto& ref : repository.refs()) {
    if (ref.name.starts_with("refs/heads/")) branches.push_back(ref_json(ref, 11));
    if (ref.name.starts_with("refs/tags/")) tags.push_back(ref_json(ref, 10));
    if (ref.name.starts_with("refs/convert/")) converts.push_back(ref_json(ref, 13));
    if (ref.name.starts_with("refs/pr/")) pull_requests.push_back(ref_json(ref, 0));
  }
  boost::json::object body;
  body["branches"] = std::move(branches);
  body["converts"] = std::move(converts);
  body["tags"] = std::move(tags);
  if (query_flag(what.query, "include_prs")) body["pullRequests"] = std::move(pull_requests);
  return json_reply(body);
}

reply list_commits(hub_store& store, const call& what) {
  require_readable(store, what);
  const git_repository repository(store.repos.path_of(what.type, what.id));
  const std::string commit = require_commit(repository, what);
  const auto limit = std::clamp<std::uint64_t>(
      core::parse_decimal(core::query_value(what.query, "limit")).value_or(50), 1, history_page);
  const auto page = std::min<std::uint64_t>(
      core::parse_decimal(core::query_value(what.query, "p")).value_or(0), 1u << 30);
  std::size_t total = 0;
  const auto skip = static_cast<std::size_t>(page * limit);
  const auto found = repository.history(commit, skip, static_cast<std::size_t>(limit), total);
  boost::json::array entries;
  for (const auto& each : found) {
    boost::json::object author;
    author["user"] = each.author;
    boost::json::object entry;
    entry["id"] = each.id;
    entry["title"] = each.title;
    entry["message"] = each.message;
    entry["authors"] = boost::json::array{std::move(author)};
    entry["date"] = timestamp_of(each.time);
    entries.push_back(std::move(entry));
  }
  reply answer = json_reply(entries);
  answer.headers.set("X-Total-Count", std::to_string(total));
  if (skip + found.size() < total)
    answer.headers.set("Link", '<' + what.endpoint + "/api/" + std::string(hub::plural(what.type)) +
                                   '/' + what.id + "/commits/" + commit +
                                   "?limit=" + std::to_string(limit) +
                                   "&p=" + std::to_string(page + 1) + ">; rel=\"next\"");
  return answer;
}

reply create_branch(hub_store& store, const call& what) {
  require_writable(store, what);
  const auto body = optional_object(what.body);
  check_name(what.revision);
  const std::string start = hub::text_or(body, "startingPoint", "main");
  make_ref(store, what, "refs/heads/" + what.revision, start.empty() ? "main" : start,
           hub::flag_or(body, "overwrite"));
  return text_reply("OK");
}

reply delete_branch(hub_store& store, const call& what) {
  require_writable(store, what);
  if (what.revision == "main") throw bad_request("The branch main cannot be deleted");
  return remove_ref(store, what, "refs/heads/" + what.revision);
}

reply create_tag(hub_store& store, const call& what) {
  require_writable(store, what);
  const auto body = optional_object(what.body);
  const std::string name = hub::text_or(body, "tag");
  if (name.empty()) throw bad_request("\"tag\" is missing");
  check_name(name);
  make_ref(store, what, "refs/tags/" + name, what.revision, false);
  return text_reply("OK");
}

reply delete_tag(hub_store& store, const call& what) {
  require_writable(store, what);
  return remove_ref(store, what, "refs/tags/" + what.revision);
}

}  // namespace cohub::server
