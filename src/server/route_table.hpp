#pragma once

#include "server/call.hpp"
#include "server/message.hpp"

namespace cohub::server {

/// Finds the route of a request to the API, and fills in what the url says: type, id, revision,
/// path.
/// @throws failure  400, 404, 405
route find_route(const request_head& head, call& what);

}  // namespace cohub::server
