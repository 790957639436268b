#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/permissions.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

/// Users and organisations, as far as clients ask for them, and what nobody has here.
namespace cohub::server {

namespace {

boost::json::object person(const std::string& name) {
  boost::json::object json;
  json["user"] = name;
  json["fullname"] = name;
  json["avatarUrl"] = "";
  json["type"] = "user";
  json["isPro"] = false;
  return json;
}

boost::json::object group(const std::string& name) {
  boost::json::object json;
  json["name"] = name;
  json["fullname"] = name;
  json["avatarUrl"] = "";
  json["type"] = "org";
  return json;
}

std::vector<std::string> require_members(const hub_store& store, const call& what) {
  identify(store, what);
  auto members = store.tokens.members_of(what.id);
  if (!members) throw not_found("Organization not found");
  return std::move(*members);
}

}  // namespace

reply get_user(hub_store& store, const call& what) {
  identify(store, what);
  if (!store.tokens.knows(what.id)) throw not_found("User not found");
  boost::json::array groups;
  for (const auto& name : store.tokens.organizations_of(what.id)) groups.push_back(group(name));
  auto answer = person(what.id);
  answer["orgs"] = std::move(groups);
  return json_reply(answer);
}

reply get_organization(hub_store& store, const call& what) {
  const auto members = require_members(store, what);
  auto answer = group(what.id);
  answer["numUsers"] = members.size();
  return json_reply(answer);
}

reply list_members(hub_store& store, const call& what) {
  boost::json::array list;
  for (const auto& name : require_members(store, what)) list.push_back(person(name));
  return json_reply(list);
}

reply list_nothing(hub_store& store, const call& what) {
  identify(store, what);
  return json_reply(boost::json::array());
}

reply list_likers(hub_store& store, const call& what) {
  require_readable(store, what);
  return json_reply(boost::json::array());
}

reply unlike(hub_store& store, const call& what) {
  require_identity(store, what);
  require_readable(store, what);
  return text_reply("OK");
}

}  // namespace cohub::server
