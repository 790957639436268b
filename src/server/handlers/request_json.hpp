#pragma once

#include "cohub/repository.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

/// What the JSON bodies of requests have in common.
namespace cohub::server {

/// @throws failure  400: not a JSON object
boost::json::object require_object(const std::string& body);

/// The visibility that the body asks for, by `visibility` or by the older `private`; nothing if it
/// has neither. @throws failure  400: one that repositories of the type cannot have
std::optional<std::string> asked_visibility(const boost::json::object& body, repo_type type);

}  // namespace cohub::server
