#include "address.hpp"

#include "cohub/hf_uri.hpp"

#include "common_flags.hpp"

#include <stdexcept>

namespace cohub::tool {

std::string take_address(std::string& repo_id, repo_type& type, bool typed, std::string& revision) {
  if (!is_hf_uri(repo_id)) return {};
  const auto address = parse_hf_uri(repo_id);
  if (typed && type != address.type)
    throw std::invalid_argument('"' + repo_id + "\" is no " + type_word(type));
  if (address.revision && !revision.empty() && revision != *address.revision)
    throw std::invalid_argument('"' + repo_id + "\" is not revision " + revision);
  repo_id = address.id;
  type = address.type;
  if (address.revision) revision = *address.revision;
  return address.path_in_repo + (address.is_folder && !address.path_in_repo.empty() ? "/" : "");
}

}  // namespace cohub::tool
