#pragma once

#include "cohub/repository.hpp"

#include <string>

namespace cohub::tool {

/// Takes apart an address in place of an id ("hf://datasets/owner/name@v1/file"): the repository's
/// id, kind and revision go where the flags put them. Anything else stays as it is.
///
/// @param typed     whether the kind was given as a flag
/// @param revision  empty: not given as a flag
/// @return  the path that the address has in the repository, a folder's with a final '/'; or empty
/// @throws std::invalid_argument  a flag says something else
/// @throws error  errc::invalid_url
std::string take_address(std::string& repo_id, repo_type& type, bool typed, std::string& revision);

}  // namespace cohub::tool
