#pragma once

#include "server/git_repository.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
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

/// The path that a file of a repository may have. @throws failure  422: it may not
std::string checked_path(const std::string& path);

/// Size of a large object, nothing if the repository does not have it.
using object_sizes = std::function<std::optional<std::uint64_t>(const std::string& sha256)>;

/// Reads an NDJSON body (hub-protocol, section 7.5) line by line and writes its files as blobs.
/// Memory is bounded by the longest line.
/// @throws failure  400: not such a body, or a large object that was never uploaded; 413: a line
///                  that is too long; 422: a path that no repository may hold
commit_request read_commit_request(const std::filesystem::path& body, git_repository& repository,
                                   const object_sizes& sizes);

}  // namespace cohub::server
