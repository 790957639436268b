#pragma once

#include "server/repo_store.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace cohub::server {

class git_repository;

struct description_options {
  bool files = true;  ///< the list of siblings
  bool files_metadata = false;
};

/// What the Hub tells of a repository at a commit: its record, its files, and what its card says
/// (hub-protocol, section 6.4).
boost::json::object describe_repo(const repo_record& record, const git_repository& repository,
                                  const std::string& commit, const description_options& options);

/// Drops all members but the id and those that were asked for; none asked for are all.
void keep_expanded(boost::json::object& description, const std::vector<std::string>& expand);

}  // namespace cohub::server
