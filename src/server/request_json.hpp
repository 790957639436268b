#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string>

/// What the JSON bodies of requests have in common.
namespace cohub::server {

/// @throws failure  400: not a JSON object
boost::json::object require_object(const std::string& body);

/// Whether the body asks for a private repository, by `visibility` or by the older `private`;
/// nothing if it has neither. @throws failure  400: an unknown visibility
std::optional<bool> asked_privacy(const boost::json::object& body);

}  // namespace cohub::server
