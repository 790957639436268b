#pragma once

#include "server/store/repo_store.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace cohub::server {

class git_repository;

/// Bytes of a card that is read; a larger one counts as none.
constexpr std::uint64_t card_limit = 4u << 20;

struct description_options {
  bool files = true;  ///< the list of siblings
  bool files_metadata = false;
  bool config = true;  ///< of a model
};

/// What the Hub tells of a repository at a commit: its record, its files, and what its card says
/// (hub-protocol, section 6.4).
boost::json::object describe_repo(const repo_record& record, const git_repository& repository,
                                  const std::string& commit, const description_options& options);

/// @throws failure  400: a name that no repository's description has
void check_expand(const std::vector<std::string>& expand);

/// Adds what is told only to those who ask for it, and drops all but the id and what was asked for;
/// nothing asked for is all that there is.
void keep_expanded(boost::json::object& description, const std::vector<std::string>& expand);

}  // namespace cohub::server
