#include "server/handlers/permissions.hpp"

#include "core/ascii.hpp"
#include "core/base64.hpp"
#include "hub/repo_id.hpp"
#include "hub/routes.hpp"
#include "server/failure.hpp"
#include "server/handlers/target.hpp"

#include <utility>
#include <vector>

namespace cohub::server {

namespace {

/// The token of an Authorization header: `Bearer <token>`, or as the password of `Basic`, which git
/// sends.
std::string token_of(std::string_view header) {
  const auto space = header.find(' ');
  const std::string_view scheme = header.substr(0, space);
  std::string_view value = space == header.npos ? std::string_view() : header.substr(space + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  if (core::equal_without_case(scheme, "Bearer")) return std::string(value);
  if (core::equal_without_case(scheme, "Basic"))
    if (const auto pair = core::base64_decode(value))
      if (const auto colon = pair->find(':'); colon != pair->npos) return pair->substr(colon + 1);
  return {};
}

failure no_repository(bool anonymous) {
  // Whoever has no token is not told whether a private repository exists (hub-protocol,
  // section 9.2).
  if (anonymous) return {401, "RepoNotFound", "Invalid username or password."};
  return {404, "RepoNotFound", "Repository not found"};
}

/// In the words of the public Hub; clients go by the code.
failure gated(const access& have, const std::string& status, const std::string& endpoint) {
  const std::string name = std::string(hub::singular(have.repo.type)) + ' ' + have.repo.id;
  if (!have.who)
    return {401, "GatedRepo",
            "Access to " + name +
                " is restricted. You must have access to it and be authenticated to access it. "
                "Please log in."};
  if (status == "pending")
    return {403, "GatedRepo",
            "Your request to access " + name + " is awaiting a review from the repo authors."};
  if (status == "rejected")
    return {403, "GatedRepo",
            "Your request to access " + name + " has been rejected by the repo's authors."};
  return {403, "GatedRepo",
          "Access to " + name + " is restricted and you are not in the authorized list. Visit " +
              hub::routes::repo_page(endpoint, have.repo.type, have.repo.id) +
              " to ask for access."};
}

/// The one repository that the caller may know of and that the id leads to, if it is not one's own
/// name (hub-protocol, section 3.3).
void throw_if_moved(const hub_store& store, const call& what, const std::optional<identity>& who) {
  std::vector<std::string> visible;
  for (auto& id : store.repos.moved_to(what.type, what.id)) {
    const auto repo = store.repos.find(what.type, id);
    if (repo && is_visible(*repo, who)) visible.push_back(std::move(id));
  }
  if (visible.size() != 1) return;
  const bool git = what.target.find(".git/info/lfs/") != std::string::npos;
  http::fields headers;
  const std::string location =
      replace_segments(what.target, what.id_at, what.id_parts, visible[0] + (git ? ".git" : ""));
  headers.set("Location", location);
  throw failure(307, {}, "Temporary Redirect. Redirecting to " + location, std::move(headers));
}

failure forbidden(const access& have) {
  const std::string who = have.who ? have.who->name : "anonymous";
  return {403, {}, "Forbidden: " + who + " may not change " + have.repo.id};
}

failure read_only() {
  return {403, {}, "Forbidden: you must use a write token to upload to a repository."};
}

}  // namespace

std::optional<identity> find_identity(const hub_store& store, std::string_view authorization) {
  if (authorization.empty()) return std::nullopt;
  return store.tokens.find(token_of(authorization));
}

bool is_visible(const repo_record& repo, const std::optional<identity>& who) {
  return !repo.is_private || (who && who->owns(repo.owner()));
}

std::optional<identity> identify(const hub_store& store, const call& what) {
  const auto header = what.headers.get("Authorization");
  if (header.empty()) return std::nullopt;
  auto who = find_identity(store, header);
  if (!who) throw failure(401, {}, "Invalid credentials in Authorization header");
  return who;
}

identity require_identity(const hub_store& store, const call& what) {
  auto who = identify(store, what);
  if (!who) throw failure(401, {}, "Invalid username or password.");
  return *who;
}

identity require_writer(const hub_store& store, const call& what) {
  auto who = require_identity(store, what);
  if (!who.may_write()) throw read_only();
  return who;
}

access require_readable(hub_store& store, const call& what) {
  access have;
  have.who = identify(store, what);
  auto repo = store.repos.find(what.type, what.id);
  if (!repo && what.id_parts > 0) throw_if_moved(store, what, have.who);
  if (!repo || !is_visible(*repo, have.who)) throw no_repository(!have.who);
  if (repo->disabled) throw failure(403, {}, "Access to this resource is disabled.");
  have.repo = std::move(*repo);
  return have;
}

access require_content(hub_store& store, const call& what) {
  access have = require_readable(store, what);
  if (have.repo.gated.empty() || (have.who && have.who->owns(have.repo.owner()))) return have;
  const auto status = have.who ? have.repo.access_of(have.who->name) : std::string();
  if (status != "accepted") throw gated(have, status, what.endpoint);
  return have;
}

access require_writable(hub_store& store, const call& what) {
  access have = require_readable(store, what);
  if (!have.who) throw failure(401, {}, "Invalid username or password.");
  if (!have.who->owns(have.repo.owner())) throw forbidden(have);
  if (!have.who->may_write()) throw read_only();
  return have;
}

void require_same(const hub_store& store, const access& have) {
  const auto now = store.repos.find(have.repo.type, have.repo.id);
  if (!now || now->key != have.repo.key) throw no_repository(false);
}

access require_proposable(hub_store& store, const call& what) {
  access have = require_content(store, what);
  if (!have.who) throw failure(401, {}, "Invalid username or password.");
  if (!have.who->may_write()) throw read_only();
  return have;
}

}  // namespace cohub::server
