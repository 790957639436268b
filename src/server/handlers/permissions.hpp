#pragma once

#include "server/handlers/call.hpp"

#include <optional>
#include <string_view>

/// Who may do what (hub-protocol, section 9.2). Private repositories exist only for those who may
/// read them; gated ones show everybody what they hold, and give it to those who were let in.
namespace cohub::server {

/// Whose token an Authorization header bears; nothing if it bears none that is known.
std::optional<identity> find_identity(const hub_store& store, std::string_view authorization);

/// Whose token the request bears; nothing if it bears none.
/// @throws failure  401: a token that is not known
std::optional<identity> identify(const hub_store& store, const call& what);
/// @throws failure  401: no token
identity require_identity(const hub_store& store, const call& what);
/// @throws failure  401; 403: a token that may only read
identity require_writer(const hub_store& store, const call& what);

/// Whether the repository exists for that caller.
bool is_visible(const repo_record& repo, const std::optional<identity>& who);

struct access {
  std::optional<identity> who{};
  repo_record repo{};
};

/// The repository that the call names, for its facts and names.
/// @throws failure  401 or 404 RepoNotFound; 403: it is disabled
access require_readable(hub_store& store, const call& what);
/// The same for its contents. @throws failure  also 401 or 403 GatedRepo
access require_content(hub_store& store, const call& what);
/// The same for one who may change it. @throws failure  also 403
access require_writable(hub_store& store, const call& what);
/// The same for one who may propose changes to it: anybody who can read it and has a token that
/// writes.
access require_proposable(hub_store& store, const call& what);

/// Under the repository's lock: that it still is the one of `have`.
/// @throws failure  404 RepoNotFound: it was deleted or moved since, and maybe made anew
void require_same(const hub_store& store, const access& have);

}  // namespace cohub::server
