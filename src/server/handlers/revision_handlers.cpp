#include "core/byte_range.hpp"
#include "core/url.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/git/git_diff.hpp"
#include "server/git/git_repository.hpp"
#include "server/git/git_rewrite.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/permissions.hpp"
#include "server/handlers/request_json.hpp"
#include "server/handlers/target.hpp"

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>

namespace cohub::server {

namespace {

constexpr std::uint64_t history_page = 1000;
constexpr std::size_t largest_diff = 16u << 20;

std::string as_html(const std::string& text) {
  std::string html;
  for (const char c : text) {
    if (c == '<')
      html += "&lt;";
    else if (c == '>')
      html += "&gt;";
    else if (c == '&')
      html += "&amp;";
    else if (c == '"')
      html += "&quot;";
    else
      html += c;
  }
  return html;
}

/// An empty body counts as an empty object: branches are made without one.
boost::json::object optional_object(const std::string& body) {
  return body.empty() ? boost::json::object() : require_object(body);
}

/// Each part of a ref's name becomes a file's, and all of it a path.
bool fits_in_files(std::string_view name) {
  constexpr std::size_t longest_name = 1000, longest_part = 250;
  if (name.size() > longest_name) return false;
  for (auto end = name.find('/'); end != name.npos; end = name.find('/')) {
    if (end > longest_part) return false;
    name.remove_prefix(end + 1);
  }
  return name.size() <= longest_part;
}

void check_name(const std::string& name) {
  if (name.starts_with("refs/"))
    throw bad_request("Invalid reference name: \"" + name + "\" must not begin with refs/");
  // git takes "-x" for a flag, and clients forty hex digits for a commit.
  if (!git_repository::is_ref_name("refs/heads/" + name) || name.starts_with('-') ||
      name == "HEAD" || hub::is_commit_id(name))
    throw bad_request("Invalid reference name: " + name);
  if (!fits_in_files(name)) throw bad_request("The reference name is too long");
}

boost::json::object ref_json(const git_ref& ref, std::size_t prefix) {
  boost::json::object entry;
  entry["name"] = ref.name.substr(prefix);
  entry["ref"] = ref.name;
  entry["targetCommit"] = ref.commit;
  return entry;
}

/// A tag that says something is an object of its own.
struct tag_note {
  std::string name{};
  std::string message{};
  std::string author{};
};

failure there_already(const std::string& ref) {
  return {409, {}, "Reference " + ref + " already exists"};
}

/// Makes a ref that must not be there yet. @param note  null: it leads to the commit itself
void make_ref(hub_store& store, const call& what, const std::string& name,
              const std::string& starting_point, bool overwrite, const tag_note* note = nullptr) {
  const auto writer = store.repos.writer(what.type, what.id);
  const std::lock_guard lock(*writer);
  git_repository repository(store.repos.path_of(what.type, what.id));
  const auto commit = repository.resolve(starting_point);
  if (!commit) throw invalid_revision(starting_point);
  if (!overwrite && repository.ref_target(name)) throw there_already(name);
  std::string target = *commit;
  if (note != nullptr)
    target = write_tag(store.repos.path_of(what.type, what.id), note->name, *commit, note->message,
                       note->author);
  repository.set_ref(name, target, store.temporary);
}

bool has_ref(const hub_store& store, const call& what, const std::string& name) {
  return git_repository(store.repos.path_of(what.type, what.id)).ref_target(name).has_value();
}

/// A branch with a history of its own, and no file.
void make_empty_branch(hub_store& store, const call& what, const std::string& name,
                       const std::string& author, bool overwrite) {
  const auto writer = store.repos.writer(what.type, what.id);
  const std::lock_guard lock(*writer);
  git_repository repository(store.repos.path_of(what.type, what.id));
  if (!overwrite && repository.ref_target(name)) throw there_already(name);
  repository.set_ref(name, repository.write_root("initial commit", author), store.temporary);
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
  const auto expand = query_values(what.query, "expand");
  const bool formatted = std::find(expand.begin(), expand.end(), "formatted") != expand.end();
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
    if (formatted) {
      boost::json::object html;
      html["title"] = as_html(each.title);
      html["message"] = as_html(each.message);
      entry["formatted"] = std::move(html);
    }
    entries.push_back(std::move(entry));
  }
  reply answer = json_reply(entries);
  answer.headers.set("X-Total-Count", std::to_string(total));
  if (skip + found.size() < total)
    answer.headers.set("Link",
                       '<' + what.endpoint + "/api/" + std::string(hub::plural(what.type)) + '/' +
                           what.id + "/commits/" + commit + "?limit=" + std::to_string(limit) +
                           "&p=" + std::to_string(page + 1) +
                           (formatted ? "&expand%5B%5D=formatted" : "") + ">; rel=\"next\"");
  return answer;
}

reply compare_commits(hub_store& store, const call& what) {
  require_content(store, what);
  const auto dots = what.revision.find("..");
  if (dots == what.revision.npos || dots == 0)
    throw bad_request("Two revisions are compared as FROM..TO");
  const bool since_base = what.revision.compare(dots, 3, "...") == 0;
  const std::string names[] = {what.revision.substr(0, dots),
                               what.revision.substr(dots + (since_base ? 3 : 2))};
  const auto path = store.repos.path_of(what.type, what.id);
  const git_repository repository(path);
  std::string commits[2];
  for (int i = 0; i < 2; ++i) {
    auto commit = repository.resolve(names[i]);
    if (!commit) throw invalid_revision(names[i]);
    commits[i] = std::move(*commit);
  }
  if (since_base) commits[0] = merge_base(path, commits[0], commits[1]).value_or(commits[0]);
  const auto format = query_flag(what.query, "raw") ? diff_format::raw : diff_format::patch;
  auto diff = write_diff(path, commits[0], commits[1], format, largest_diff);
  if (!diff) throw unprocessable("The difference is too large");
  return text_reply(std::move(*diff));
}

reply create_branch(hub_store& store, const call& what) {
  const access have = require_writable(store, what);
  const auto body = optional_object(what.body);
  check_name(what.revision);
  const std::string name = "refs/heads/" + what.revision;
  const std::string start = hub::text_or(body, "startingPoint");
  const bool overwrite = hub::flag_or(body, "overwrite");
  if (hub::flag_or(body, "emptyBranch")) {
    if (!start.empty()) throw bad_request("An empty branch has no starting point");
    make_empty_branch(store, what, name, have.who->name, overwrite);
  } else if (start.empty() && overwrite && has_ref(store, what, name)) {
    // It stays where it is: nothing says where else it should lead.
  } else {
    make_ref(store, what, name, start.empty() ? "main" : start, overwrite);
  }
  return text_reply("OK");
}

reply delete_branch(hub_store& store, const call& what) {
  require_writable(store, what);
  if (what.revision == "main") throw bad_request("Cannot delete refs/heads/main");
  return remove_ref(store, what, "refs/heads/" + what.revision);
}

reply create_tag(hub_store& store, const call& what) {
  const access have = require_writable(store, what);
  const auto body = optional_object(what.body);
  const std::string name = hub::text_or(body, "tag");
  if (name.empty()) throw bad_request("\"tag\" is missing");
  require_commit(git_repository(store.repos.path_of(what.type, what.id)), what);
  check_name(name);
  if (hub::text_or(body, "message").find('\0') != std::string::npos)
    throw unprocessable("A tag's message has a NUL in it");
  const tag_note note{name, hub::text_or(body, "message"), have.who->name};
  make_ref(store, what, "refs/tags/" + name, what.revision, false,
           note.message.empty() ? nullptr : &note);
  return text_reply("OK");
}

reply delete_tag(hub_store& store, const call& what) {
  require_writable(store, what);
  return remove_ref(store, what, "refs/tags/" + what.revision);
}

}  // namespace cohub::server
