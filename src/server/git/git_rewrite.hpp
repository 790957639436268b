#pragma once

#include "server/git/git_repository.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <vector>

/// What writes objects beside the commits of `git_repository`. Blocking; no ref is touched.
namespace cohub::server {

/// Writes an annotated tag, and yields its id. On disk when it returns.
std::string write_tag(const std::filesystem::path& repository, const std::string& name,
                      const std::string& commit, const std::string& message,
                      const std::string& author);

/// Writes the commits of all refs anew without the files that are these large objects, and yields
/// the refs that are to lead elsewhere, with what to. On disk when it returns.
std::vector<git_ref> rewrite_without(const std::filesystem::path& repository,
                                     const std::set<std::string>& sha256s);

}  // namespace cohub::server
