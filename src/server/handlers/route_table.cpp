#include "server/handlers/route_table.hpp"

#include "hub/repo_id.hpp"
#include "server/failure.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/permissions.hpp"
#include "server/handlers/repo_description.hpp"
#include "server/handlers/target.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace cohub::server {

namespace {

using segments = std::span<const std::string>;

constexpr std::uint64_t small_body = 1u << 20;
/// A card as JSON text, in which a byte may be written as "\\u0000".
constexpr std::uint64_t card_body = 6 * card_limit + 1024;
constexpr std::uint64_t paths_body = 4u << 20;
constexpr std::uint64_t listing_body = 16u << 20;  // thousands of paths, samples of 512 bytes
constexpr std::uint64_t commit_body = 8ull << 30;

/// Refuses who is refused by `Require`.
template <auto Require>
reply admits(hub_store& store, const call& what) {
  Require(store, what);
  return {};
}

/// A route with a body that changes nothing.
constexpr route asking(call_handler handler, call_handler admission, std::uint64_t limit) {
  return {handler, limit, admission};
}

/// A route that changes something.
constexpr route changing(call_handler handler, call_handler admission,
                         std::uint64_t limit = small_body) {
  return {handler, limit, admission, true};
}
constexpr route changing(call_handler handler) { return {handler, 0, nullptr, true}; }

/// A route that changes something, and takes its body while it arrives.
constexpr route receiving(consumer_factory consumer, std::uint64_t limit) {
  return {nullptr, limit, nullptr, true, consumer};
}

reply change_lfs_files(hub_store& store, const call& what) {
  if (what.path == "duplicate") return duplicate_lfs_files(store, what);
  if (what.path == "batch") return delete_lfs_files(store, what);
  throw not_found("Not found");
}

/// One operation below /api/{type}/{id}/.
struct operation {
  std::string_view method;
  std::string_view name;
  route to;
  /// What follows the name: nothing, a revision, a revision and a path, or one more word.
  enum class tail { none, revision, path, word } rest = tail::revision;
};
using tail = operation::tail;

const std::array operations{
    operation{"GET", "revision", {get_repo_info}},
    operation{"GET", "tree", {list_tree}, tail::path},
    operation{"POST", "paths-info", asking(get_paths_info, admits<require_readable>, paths_body)},
    operation{"GET", "refs", {list_refs}, tail::none},
    operation{"GET", "commits", {list_commits}},
    operation{"POST", "preupload", asking(preupload, admits<require_proposable>, listing_body)},
    operation{"POST", "commit", receiving(receive_commit, commit_body)},
    operation{"GET", "compare", {compare_commits}},
    operation{"POST", "duplicate", changing(duplicate_repo, admits<require_content>), tail::none},
    operation{"GET", "lfs-files", {list_lfs_files}, tail::none},
    operation{"POST", "lfs-files",
              changing(change_lfs_files, admits<require_content>, listing_body), tail::word},
    operation{"POST", "branch", changing(create_branch, admits<require_writable>)},
    operation{"DELETE", "branch", changing(delete_branch)},
    operation{"GET", "discussions", {list_discussions}, tail::none},
    operation{"POST", "discussions", changing(create_discussion, admits<require_proposable>),
              tail::none},
    operation{"GET", "discussions", {get_discussion}, tail::word},
    operation{"POST", "discussions", changing(change_discussion, admits<require_proposable>),
              tail::word},
    operation{"POST", "super-squash", changing(super_squash, admits<require_writable>)},
    operation{"POST", "tag", changing(create_tag, admits<require_writable>)},
    operation{"DELETE", "tag", changing(delete_tag)},
    operation{"GET", "likers", {list_likers}, tail::none},
    operation{"DELETE", "like", {unlike}, tail::none},
    operation{"GET", "auth-check", {check_access}, tail::none},
    operation{"PUT", "settings", changing(update_settings, admits<require_writable>), tail::none},
    operation{"GET", "user-access-request", {list_access_requests}, tail::word},
    operation{"POST", "user-access-request",
              changing(change_access_request, admits<require_writable>), tail::word},
};

bool is_operation(std::string_view name) {
  return std::any_of(operations.begin(), operations.end(),
                     [&](const operation& each) { return each.name == name; }) ||
         name == "xet-read-token" || name == "xet-write-token";
}

/// Whether there is an operation of that name with nothing behind it, which no repository can be
/// called by then. Likes came late: those that are asked for are of repositories whose owner is
/// named.
bool is_whole_operation(std::string_view name) {
  if (name == "like" || name == "likers") return false;
  return std::any_of(operations.begin(), operations.end(), [&](const operation& each) {
    return each.name == name && each.rest == tail::none;
  });
}

/// Whether the repository is named by the first part alone: what follows is an operation then, and
/// not the second part of the name.
bool has_lone_name(segments parts, std::string_view method) {
  if (parts.size() == 2 && parts[1] == "like" && method == "DELETE") return true;
  if (parts.size() == 1 || parts[0].find('/') != std::string::npos) return true;
  if (parts.size() == 2) return is_whole_operation(parts[1]);
  return is_operation(parts[1]) && !is_operation(parts[2]);
}

std::string joined(segments parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : "/") + part;
  return text;
}

/// Takes a revision off the front. One that was sent without encoding its '/' is taken whole.
segments take_revision(segments parts, call& what) {
  if (parts.empty()) throw not_found("Not found");
  std::size_t count = 1;
  if (parts.size() >= 3 && parts[0] == "refs" && (parts[1] == "pr" || parts[1] == "convert"))
    count = 3;
  what.revision = joined(parts.first(count));
  return parts.subspan(count);
}

/// @param allowed  the methods that the target knows; empty: there is no such target
[[noreturn]] void refuse(std::string allowed, const request_head& head) {
  if (allowed.empty()) throw not_found("Not found");
  http::fields headers;
  headers.set("Allow", std::move(allowed));
  throw failure(405, {}, "Method " + head.method + " is not allowed here", std::move(headers));
}

/// Adds a method as routes are written to those that a target knows.
void allow(std::string& allowed, std::string_view method) {
  if (!allowed.empty()) allowed += ", ";
  allowed += method;
  if (method == "GET") allowed += ", HEAD";
}

/// A method as routes are written: HEAD is answered like GET, without the body.
std::string_view plain_method(const request_head& head) {
  return head.method == "HEAD" ? std::string_view("GET") : std::string_view(head.method);
}

route repository_route(segments parts, const request_head& head, call& what) {
  if (parts.empty() || parts[0].empty()) throw not_found("Not found");
  const bool single = has_lone_name(parts, plain_method(head));
  what.id_parts = single ? 1 : 2;
  what.id = joined(parts.first(what.id_parts));
  parts = parts.subspan(single ? 1 : 2);
  const auto method = plain_method(head);
  if (parts.empty()) {
    if (method == "GET") return {get_repo_info};
    refuse("GET, HEAD", head);
  }
  if (parts[0] == "auth-check" && parts.size() == 2 && parts[1] == "write" && method == "GET")
    return {check_write_access};
  std::string allowed;
  for (const auto& each : operations) {
    const auto rest = parts.subspan(1);
    if (each.name != parts[0] || rest.empty() != (each.rest == tail::none)) continue;
    allow(allowed, each.method);
    if (each.method != method) continue;
    if (each.rest == tail::revision) what.revision = joined(rest);
    if (each.rest == tail::word) what.path = joined(rest);
    if (each.rest == tail::path) {
      what.path = joined(take_revision(rest, what));
      while (what.path.ends_with('/')) what.path.pop_back();
    }
    return each.to;
  }
  refuse(std::move(allowed), head);
}

/// What tells of a user or an organisation: {users|organizations}/{name}/{word}.
call_handler find_people_handler(segments parts) {
  if (parts.size() != 3) return nullptr;
  const auto is = [&](std::string_view kind, std::string_view word) {
    return parts[0] == kind && parts[2] == word;
  };
  if (is("users", "overview")) return get_user;
  if (is("users", "likes")) return list_nothing;
  if (is("organizations", "overview")) return get_organization;
  if (is("organizations", "members")) return list_members;
  return nullptr;
}

/// What small files are redirected to: {type}/{id}/{commit}/{path}.
route cached_route(segments parts, call& what) {
  const auto type = hub::parse_plural(parts[0]);
  if (!type || parts.size() < 5 || !hub::is_commit_id(parts[3])) throw not_found("Not found");
  what.type = *type;
  what.id_at = 2;
  what.id_parts = 2;
  what.id = joined(parts.subspan(1, 2));
  what.revision = parts[3];
  what.path = joined(parts.subspan(4));
  return {resolve_cached_file};
}

route api_route(segments parts, const request_head& head, call& what) {
  const auto method = plain_method(head);
  const std::string name = joined(parts);
  struct fixed_route {
    std::string_view method;
    std::string_view name;
    route to;
  };
  static const std::array fixed{
      fixed_route{"GET", "whoami-v2", {whoami}},
      fixed_route{"GET", "collections", {list_nothing}},
      fixed_route{"GET", "settings/repositories", {list_own_repos}},
      fixed_route{"POST", "repos/create",
                  changing(create_repo, admits<require_writer>, listing_body)},
      fixed_route{"POST", "repos/move", changing(move_repo, admits<require_writer>)},
      fixed_route{"DELETE", "repos/delete", changing(delete_repo, admits<require_writer>)},
      fixed_route{"POST", "validate-yaml", {validate_yaml, card_body}},
  };
  std::string allowed;
  for (const auto& each : fixed) {
    if (each.name != name) continue;
    allow(allowed, each.method);
    if (each.method == method) return each.to;
  }
  const bool known = !allowed.empty();
  if (!known && parts.size() == 4 && parts[0] == "organizations" && method == "GET" &&
      parts[2] == "settings" && parts[3] == "repositories") {
    what.id = parts[1];
    return {list_own_repos};
  }
  if (const auto handler = method == "GET" ? find_people_handler(parts) : nullptr) {
    what.id = parts[1];
    return {handler};
  }
  if (!known && parts.size() == 1 && method == "GET")
    if (const auto type = hub::parse_plural(parts[0])) {
      what.type = *type;
      return {list_repos};
    }
  if (!known && parts.size() >= 2)
    if (const auto type = hub::parse_plural(parts[0])) {
      what.type = *type;
      what.id_at = 2;
      return repository_route(parts.subspan(1), head, what);
    }
  if (parts.size() > 1 && parts[0] == "resolve-cache" && method == "GET")
    return cached_route(parts.subspan(1), what);
  refuse(std::move(allowed), head);
}

route file_route(segments parts, const request_head& head, call& what) {
  if (const auto type = hub::parse_plural(parts[0]); type && parts.size() > 1) {
    what.type = *type;
    what.id_at = 1;
    parts = parts.subspan(1);
  }
  if (parts.size() == 3 && parts[2] == "ask-access" && head.method == "POST") {
    what.id_parts = 2;
    what.id = joined(parts.first(2));
    return changing(ask_access);
  }
  const auto action = [&](std::size_t at) {
    return parts.size() > at + 2 && (parts[at] == "resolve" || parts[at] == "raw");
  };
  const auto lfs = [&](std::size_t at) {
    return parts.size() > at + 2 && parts[at - 1].ends_with(".git") && parts[at] == "info" &&
           parts[at + 1] == "lfs";
  };
  std::size_t at = 1;
  // Ids here have two parts; one alone is only looked at where two would not fit.
  if (action(2) || lfs(2) || (!action(1) && !lfs(1))) at = 2;
  const bool for_lfs = parts.size() > at && lfs(at);
  if (!for_lfs && !action(at)) throw not_found("Not found");
  what.id_parts = at;
  what.id = joined(parts.first(at));
  if (for_lfs) {
    what.id.resize(what.id.size() - 4);
    const std::string name = joined(parts.subspan(at + 2));
    const bool known = name == "objects/batch" || name == "verify";
    if (!known || head.method != "POST") refuse(known ? "POST" : "", head);
    if (name == "verify") return asking(lfs_verify, admits<require_proposable>, small_body);
    return asking(lfs_batch, admits<require_content>, listing_body);
  }
  const auto rest = take_revision(parts.subspan(at + 1), what);
  what.path = joined(rest);
  if (what.path.empty() || plain_method(head) != "GET")
    refuse(what.path.empty() ? "" : "GET, HEAD", head);
  return {parts[at] == "resolve" ? resolve_file : raw_file};
}

}  // namespace

bool is_reachable_id(const std::string& id) {
  request_head head;
  head.method = "GET";
  for (const std::string& target : {"/api/models/" + id, '/' + id + "/resolve/main/x"}) {
    call what;
    head.target = target;
    try {
      find_route(head, what);
    } catch (const failure&) {
      return false;
    }
    if (what.id != id) return false;
  }
  return true;
}

route find_route(const request_head& head, call& what) {
  const auto parts = path_segments(head.target);
  what.method = head.method;
  what.target = head.target;
  what.query = query_of(head.target);
  what.headers = head.headers;
  if (parts[0] == "api") return api_route(segments(parts).subspan(1), head, what);
  return file_route(parts, head, what);
}

}  // namespace cohub::server
