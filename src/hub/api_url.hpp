#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cohub::hub {

/// A repository as an address of the API names it.
struct named_repository {
  std::string type{};  ///< "model", "dataset", "space"
  std::string id{};    ///< "owner/name" or "name"
};

/// Reads it from the url of a request; nothing for other addresses, those of files among them.
std::optional<named_repository> repository_of_api_url(std::string_view url);

}  // namespace cohub::hub
