#include "server/handlers/request_json.hpp"

#include "hub/json_reader.hpp"
#include "server/failure.hpp"

#include <utility>

namespace cohub::server {

boost::json::object require_object(const std::string& body) {
  auto parsed = hub::parse_json(body);
  if (!parsed || !parsed->is_object()) throw bad_request("The request's body is not a JSON object");
  return std::move(parsed->as_object());
}

std::optional<std::string> asked_visibility(const boost::json::object& body, repo_type type) {
  std::string visibility = hub::text_or(body, "visibility");
  if (!visibility.empty()) {
    if (visibility != "public" && visibility != "private" && visibility != "protected")
      throw bad_request("Invalid visibility: " + visibility);
    if (visibility == "protected" && type != repo_type::space)
      throw bad_request("Only spaces can be protected");
    return visibility;
  }
  const auto* older = body.if_contains("private");
  if (older == nullptr || older->is_null()) return std::nullopt;
  if (!older->is_bool()) throw bad_request("\"private\" is neither true nor false");
  return older->as_bool() ? "private" : "public";
}

}  // namespace cohub::server
