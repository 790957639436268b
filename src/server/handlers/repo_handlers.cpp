#include "cohub/card_value.hpp"
#include "cohub/error.hpp"

#include "core/base64.hpp"
#include "core/hex.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_replies.hpp"
#include "hub/routes.hpp"
#include "hub/yaml.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/git/git_repository.hpp"
#include "server/git/lfs_pointer.hpp"
#include "server/handlers/card_check.hpp"
#include "server/handlers/commit_request.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/permissions.hpp"
#include "server/handlers/repo_description.hpp"
#include "server/handlers/repo_measures.hpp"
#include "server/handlers/request_json.hpp"
#include "server/handlers/route_table.hpp"
#include "server/handlers/target.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace cohub::server {

namespace {

/// That a repository can have that id.
void require_name(const std::string& id) {
  if (!repo_store::is_valid_id(id) || !is_reachable_id(id))
    throw bad_request("Invalid repository name: " + id);
}

bool is_sdk(const std::string& word) {
  return word == "gradio" || word == "streamlit" || word == "docker" || word == "static";
}

/// Type and id of a body of create or delete.
void read_name(const boost::json::object& body, const std::string& default_owner, repo_type& type,
               std::string& id) {
  const std::string word = hub::text_or(body, "type", "model");
  const auto known = hub::parse_singular(word);
  if (!known) throw bad_request("Repositories of type \"" + word + "\" are not supported here");
  type = *known;
  const std::string name = hub::text_or(body, "name");
  std::string owner = hub::text_or(body, "organization");
  if (owner.empty() && name.find('/') == name.npos) owner = default_owner;
  id = owner.empty() ? name : owner + '/' + name;
  require_name(id);
}

/// The card that a new repository has where none comes along; empty: none.
std::string first_card(const repo_record& record, const std::string& license) {
  card_map metadata;
  if (record.type == repo_type::space) {
    metadata["title"] = record.id.substr(record.id.find('/') + 1);
    metadata["emoji"] = "\xf0\x9f\x9a\x80";
    metadata["colorFrom"] = "blue";
    metadata["colorTo"] = "gray";
    metadata["sdk"] = record.sdk;
    metadata["pinned"] = false;
  }
  if (!license.empty()) metadata["license"] = license;
  return metadata.empty() ? std::string() : "---\n" + hub::write_yaml(metadata) + "---\n";
}

/// The files that a new repository is to have, by their paths.
std::map<std::string, std::string> first_files(const repo_record& record,
                                               const boost::json::object& body) {
  std::map<std::string, std::string> files;
  if (const auto* list = body.if_contains("files"); list != nullptr && list->is_array())
    for (const auto& item : list->get_array()) {
      if (!item.is_object()) throw bad_request("A file is not a JSON object");
      const auto& file = item.get_object();
      const auto encoding = hub::text_or(file, "encoding", "utf-8");
      auto content = hub::text_or(file, "content");
      if (encoding == "base64") {
        auto decoded = core::base64_decode(content);
        if (!decoded) throw bad_request("A file's content is not base64");
        content = std::move(*decoded);
      } else if (encoding != "utf-8") {
        throw bad_request("Unknown encoding of a file: " + encoding);
      }
      // Large objects come in by commits alone, which look whether they are there.
      if (content.size() <= lfs_pointer_limit && read_lfs_pointer(content))
        throw bad_request("A file of a new repository cannot be a pointer to a large object");
      files[checked_path(hub::text_or(file, "path"))] = std::move(content);
    }
  const auto license = hub::text_or(body, "license");
  if (license.find_first_of("\r\n") != license.npos) throw bad_request("Invalid license");
  if (auto card = first_card(record, license); !card.empty())
    files.try_emplace("README.md", std::move(card));
  return files;
}

boost::json::object organization_json(const std::string& name) {
  boost::json::object entry;
  entry["type"] = "org";
  entry["name"] = name;
  entry["fullname"] = name;
  entry["roleInOrg"] = "write";
  return entry;
}

void require_owner(const identity& who, const repo_record& record) {
  if (!who.owns(record.owner()))
    throw failure(403, {},
                  "You don't have the rights to create a " +
                      std::string(hub::singular(record.type)) + " under the namespace \"" +
                      record.owner() + "\"");
}

/// What clients are told of a repository that was made, or that was there already.
reply creation_reply(hub_store& store, const call& what, const repo_record& record, bool made) {
  const auto id = store.repos.spelling_of(record.type, record.id).value_or(record.id);
  boost::json::object answer;
  answer["url"] = hub::routes::repo_page(what.endpoint, record.type, id);
  if (!made) {
    const std::string message =
        "You already created this " + std::string(hub::singular(record.type)) + " repo";
    answer["error"] = message;
    reply conflict = json_reply(answer, 409);
    conflict.headers.set("X-Error-Message", message);
    return conflict;
  }
  const auto there = store.repos.find(record.type, record.id);
  answer["name"] = record.id;
  answer["id"] = there ? there->key : std::string();
  return json_reply(answer);
}

}  // namespace

std::string require_commit(const git_repository& repository, const call& what) {
  auto commit = repository.resolve(what.revision.empty() ? "main" : what.revision);
  if (!commit) throw invalid_revision(what.revision);
  return *commit;
}

reply whoami(hub_store& store, const call& what) {
  const identity who = require_identity(store, what);
  boost::json::array organizations;
  for (const auto& name : who.organizations) organizations.push_back(organization_json(name));
  boost::json::object token;
  token["displayName"] = who.name + "-" + who.role;
  token["role"] = who.role;
  boost::json::object auth;
  auth["type"] = "access_token";
  auth["accessToken"] = std::move(token);
  boost::json::object body;
  body["type"] = "user";
  body["id"] = who.name;
  body["name"] = who.name;
  body["fullname"] = who.name;
  body["emailVerified"] = true;
  body["canPay"] = false;
  body["periodEnd"] = nullptr;
  body["isPro"] = false;
  body["orgs"] = std::move(organizations);
  body["auth"] = std::move(auth);
  return json_reply(body);
}

reply create_repo(hub_store& store, const call& what) {
  const identity who = require_writer(store, what);
  const auto body = require_object(what.body);
  repo_record record;
  read_name(body, who.name, record.type, record.id);
  record.set_visibility(asked_visibility(body, record.type).value_or("public"));
  record.sdk = hub::text_or(body, "sdk");
  require_owner(who, record);
  if (record.type == repo_type::space && !is_sdk(record.sdk))
    throw bad_request("A space needs an sdk: gradio, streamlit, docker or static");
  const auto files = first_files(record, body);
  const auto fill = [&](const std::filesystem::path& path) {
    if (files.empty()) return;
    git_repository repository(path);
    std::vector<git_change> changes;
    for (const auto& [name, content] : files)
      changes.push_back({git_change::kind::put, name, repository.write_blob(content)});
    const auto head = repository.ref_target("refs/heads/main").value();
    const auto commit = repository.write_commit(head, changes, "first files", who.name);
    repository.set_ref("refs/heads/main", commit, store.temporary);
  };
  const bool made = store.repos.create(record, fill);
  return creation_reply(store, what, record, made);
}

reply duplicate_repo(hub_store& store, const call& what) {
  const access have = require_content(store, what);
  const identity who = require_writer(store, what);
  const auto body = require_object(what.body);
  repo_record record;
  record.type = what.type;
  record.id = hub::text_or(body, "repository");
  if (record.id.find('/') == record.id.npos) record.id = who.name + '/' + record.id;
  require_name(record.id);
  require_owner(who, record);
  record.set_visibility(asked_visibility(body, what.type).value_or(have.repo.visibility()));
  record.sdk = have.repo.sdk;
  const std::shared_lock guard(store.objects_in_use);
  const bool made = store.repos.copy(what.type, what.id, record);
  return creation_reply(store, what, record, made);
}

reply move_repo(hub_store& store, const call& what) {
  const auto body = require_object(what.body);
  const std::string word = hub::text_or(body, "type", "model");
  const auto type = hub::parse_singular(word);
  if (!type) throw bad_request("Repositories of type \"" + word + "\" are not supported here");
  call source = what;
  source.type = *type;
  source.id = hub::text_or(body, "fromRepo");
  const access have = require_writable(store, source);
  const std::string to = hub::text_or(body, "toRepo");
  require_name(to);
  if (!have.who->owns(to.substr(0, to.find('/'))))
    throw failure(403, {}, "You don't have the rights to move a repository to " + to);
  const std::shared_lock guard(store.objects_in_use);
  if (!store.repos.move(*type, source.id, to))
    throw failure(
        409, {},
        "A " + std::string(hub::singular(*type)) + " repository called " + to + " already exists");
  boost::json::object answer;
  answer["url"] = hub::routes::repo_page(what.endpoint, *type, to);
  return json_reply(answer);
}

reply delete_repo(hub_store& store, const call& what) {
  const identity who = require_identity(store, what);
  const auto body = require_object(what.body);
  call target = what;
  read_name(body, who.name, target.type, target.id);
  const access have = require_writable(store, target);
  std::optional<std::filesystem::path> gone;
  {
    // Nobody gets an object while it is decided whether anybody has it.
    const std::unique_lock guard(store.objects_in_use);
    const auto objects = store.repos.objects_of(target.type, target.id);
    gone = store.repos.take_away(target.type, target.id);
    if (!gone) throw failure(404, "RepoNotFound", "Repository not found");
    store.remove_unheld(objects);
  }
  std::error_code ignored;  // what stays is removed at the next start
  std::filesystem::remove_all(*gone, ignored);
  return text_reply("OK");
}

reply get_repo_info(hub_store& store, const call& what) {
  const access have = require_readable(store, what);
  const git_repository repository(store.repos.path_of(what.type, what.id));
  const std::string commit = require_commit(repository, what);
  const auto expand = query_values(what.query, "expand");
  check_expand(expand);
  const auto tells = [&](const char* name) {
    return expand.empty() || std::find(expand.begin(), expand.end(), name) != expand.end();
  };
  description_options options;
  options.files = tells("siblings");
  options.config = tells("config");
  options.files_metadata = query_flag(what.query, "blobs");
  auto object = describe_repo(have.repo, repository, commit, options);
  add_measures(object, store, have.repo, repository, commit, expand);
  keep_expanded(object, expand);
  return json_reply(object);
}

reply check_access(hub_store& store, const call& what) {
  require_content(store, what);
  return json_reply(boost::json::object());
}

reply check_write_access(hub_store& store, const call& what) {
  require_writable(store, what);
  return json_reply(boost::json::object());
}

reply validate_yaml(hub_store&, const call& what) {
  const auto body = require_object(what.body);
  const auto content = hub::text_or(body, "content");
  if (content.size() > card_limit) throw failure(413, {}, "The card is too large");
  const auto problems = check_card(content, hub::text_or(body, "repoType", "model"));
  const int status = problems.errors.empty() ? 200 : 400;
  if (what.headers.get("Accept").starts_with("text/plain")) {
    std::string text;
    for (const auto& message : problems.errors) text += "- Error: " + message + '\n';
    for (const auto& message : problems.warnings) text += "- Warning: " + message + '\n';
    return text_reply(std::move(text), status);
  }
  const auto listed = [](const std::vector<std::string>& messages) {
    boost::json::array list;
    for (const auto& message : messages) {
      boost::json::object entry;
      entry["message"] = message;
      list.push_back(std::move(entry));
    }
    return list;
  };
  boost::json::object answer;
  answer["warnings"] = listed(problems.warnings);
  answer["errors"] = listed(problems.errors);
  return json_reply(answer, status);
}

}  // namespace cohub::server
