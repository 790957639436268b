#pragma once

#include "server/call.hpp"

#include <optional>
#include <string>

/// Who may do what. Private repositories exist only for those who may read them.
namespace cohub::server {

/// Whose token the request bears; nothing if it bears none.
/// @throws failure  401: a token that is not known
std::optional<identity> identify(const hub_store& store, const call& what);
/// @throws failure  401: no token
identity require_identity(const hub_store& store, const call& what);
/// @throws failure  401; 403: a token that may only read
identity require_writer(const hub_store& store, const call& what);

struct access {
  std::optional<identity> who{};
  repo_record repo{};
};

/// The repository that the call names. @throws failure  401 or 404 RepoNotFound
access require_readable(hub_store& store, const call& what);
/// The same for one who may change it. @throws failure  also 403
access require_writable(hub_store& store, const call& what);
/// The same for one who may propose changes to it: anybody who can read it and has a token that
/// writes.
access require_proposable(hub_store& store, const call& what);

}  // namespace cohub::server
