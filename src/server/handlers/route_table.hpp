#pragma once

#include "server/handlers/call.hpp"
#include "server/wire/message.hpp"

#include <string>

namespace cohub::server {

/// Finds the route of a request to the API, and fills in what the url says: type, id, revision,
/// path.
/// @throws failure  400, 404, 405
route find_route(const request_head& head, call& what);

/// Whether urls can lead to a repository of that id: some names mean an operation, or a type.
bool is_reachable_id(const std::string& id);

}  // namespace cohub::server
