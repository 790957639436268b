#pragma once

#include "server/git_repository.hpp"
#include "server/object_store.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace cohub::server {

/// What the body of a commit asks for; its files are already blobs of the repository.
struct commit_request {
  std::string summary{};
  std::string description{};
  std::string parent_commit{};
  std::vector<git_change> changes{};

  std::string message() const;
};

/// Reads an NDJSON body (hub-protocol, section 7.5) line by line and writes its files as blobs.
/// Memory is bounded by the longest line.
/// @throws failure  400: not such a body, or a large object that was never uploaded; 413: a line
/// that is too
///                  long; 422: a path that no repository may hold
commit_request read_commit_request(const std::filesystem::path& body, git_repository& repository,
                                   const object_store& objects);

}  // namespace cohub::server
