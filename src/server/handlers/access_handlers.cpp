#include "hub/json_reader.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/permissions.hpp"
#include "server/handlers/request_json.hpp"

#include <optional>
#include <string>

namespace cohub::server {

namespace {

bool is_status(const std::string& word) {
  return word == "pending" || word == "accepted" || word == "rejected";
}

/// The gating that a body asks for; nothing if it does not say.
std::optional<std::string> asked_gating(const boost::json::object& body) {
  const auto* gated = body.if_contains("gated");
  if (gated == nullptr || gated->is_null()) return std::nullopt;
  if (gated->is_bool() && !gated->as_bool()) return std::string();
  if (gated->is_string() && (gated->as_string() == "auto" || gated->as_string() == "manual"))
    return std::string(gated->as_string());
  throw bad_request("\"gated\" is neither \"auto\" nor \"manual\" nor false");
}

/// Changes the record of the call's repository, which was there a moment ago.
repo_record change_record(hub_store& store, const call& what,
                          const std::function<void(repo_record&)>& change) {
  auto changed = store.repos.update(what.type, what.id, change);
  if (!changed) throw failure(404, "RepoNotFound", "Repository not found");
  return std::move(*changed);
}

void require_gated(const repo_record& record) {
  if (record.gated.empty()) throw bad_request("The repository is not gated");
}

std::string require_user(const hub_store& store, const boost::json::object& body) {
  std::string user = hub::text_or(body, "user");
  if (!store.tokens.knows(user)) throw not_found("User not found: " + user);
  return user;
}

}  // namespace

reply update_settings(hub_store& store, const call& what) {
  require_writable(store, what);
  const auto body = require_object(what.body);
  const auto visibility = asked_visibility(body, what.type);
  const auto gated = asked_gating(body);
  if (!visibility && !gated) throw bad_request("No setting to change was given");
  const auto record = change_record(store, what, [&](repo_record& each) {
    if (visibility) each.set_visibility(*visibility);
    each.gated = gated.value_or(each.gated);
  });
  boost::json::object answer;
  answer["private"] = record.is_private;
  answer["visibility"] = record.visibility();
  if (record.gated.empty())
    answer["gated"] = false;
  else
    answer["gated"] = record.gated;
  return json_reply(answer);
}

reply ask_access(hub_store& store, const call& what) {
  require_identity(store, what);
  const access have = require_readable(store, what);
  const auto record = change_record(store, what, [&](repo_record& each) {
    require_gated(each);
    // Asking again does not undo what the owner decided.
    if (each.access_of(have.who->name).empty())
      each.set_access(have.who->name, each.gated == "auto" ? "accepted" : "pending");
  });
  boost::json::object answer;
  answer["status"] = record.access_of(have.who->name);
  return json_reply(answer);
}

reply list_access_requests(hub_store& store, const call& what) {
  const access have = require_writable(store, what);
  if (!is_status(what.path)) throw not_found("Not found");
  require_gated(have.repo);
  boost::json::array list;
  for (const auto& each : have.repo.access_requests) {
    if (each.status != what.path) continue;
    boost::json::object user;
    user["user"] = each.user;
    user["fullname"] = each.user;
    boost::json::object entry;
    entry["user"] = std::move(user);
    entry["status"] = each.status;
    entry["timestamp"] = each.timestamp;
    list.push_back(std::move(entry));
  }
  return json_reply(list);
}

reply change_access_request(hub_store& store, const call& what) {
  require_writable(store, what);
  const auto body = require_object(what.body);
  const bool grant = what.path == "grant";
  if (!grant && what.path != "handle") throw not_found("Not found");
  const std::string user = require_user(store, body);
  const std::string status = grant ? "accepted" : hub::text_or(body, "status");
  if (!is_status(status)) throw bad_request("Invalid status: " + status);
  change_record(store, what, [&](repo_record& each) {
    require_gated(each);
    const auto before = each.access_of(user);
    if (!grant && before.empty()) throw not_found("The user has not asked for access: " + user);
    if (!grant && before == status)
      throw not_found("The user's request is " + status + " already: " + user);
    if (grant && before == "accepted") throw bad_request("The user has access already: " + user);
    each.set_access(user, status);
  });
  boost::json::object answer;
  answer["user"] = user;
  answer["status"] = status;
  return json_reply(answer);
}

}  // namespace cohub::server
