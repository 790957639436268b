#pragma once

#include "server/git/git_repository.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::server {

/// What the body of a commit asks for; its files are already blobs of the repository.
struct commit_request {
  std::string summary{};
  std::string description{};
  std::string parent_commit{};
  std::vector<git_change> changes{};
  std::map<std::string, std::string> objects{};  ///< sha256 of what it needs, and a path of each

  std::string message() const;
};

/// git ends a message at the first NUL, and listings show its first line.
/// @throws failure  422: a message with NUL, or whose first line is blank
void check_commit_message(std::string_view message);

/// The path that a file of a repository may have. @throws failure  422: it may not
std::string checked_path(const std::string& path);

/// Size of a large object, nothing if the repository does not have it.
using object_sizes = std::function<std::optional<std::uint64_t>(const std::string& sha256)>;

/// The object's size. @throws failure  400: the repository does not have it
std::uint64_t require_object(const object_sizes& sizes, const std::string& sha256,
                             const std::string& path);

/// Reads an NDJSON body (hub-protocol, section 7.5) as it arrives and writes its files as blobs.
/// Blocking.
class commit_reader {
 public:
  /// @param repository  must outlive the reader
  /// @param file_limit  bytes of a file that is no large object
  commit_reader(git_repository& repository, object_sizes sizes, std::size_t file_limit);

  /// The next bytes of the body.
  /// @throws failure  400: not such a body, or a large object that was never uploaded; 413: a line
  ///                  that is too long, or a file; 422: a path that no repository may hold
  void take(std::string_view piece);
  /// Bytes that it needs at most, now and for the line that has begun.
  std::size_t memory() const noexcept;
  /// What the whole body asks for. @throws failure  as `take`
  commit_request finish();

 private:
  void read_line(std::string_view line);

  git_repository& repository_;
  object_sizes sizes_;
  std::size_t file_limit_;
  std::size_t line_limit_;
  std::size_t path_bytes_ = 0;  // of the changes, and once more of their objects
  commit_request request_{};
  bool has_header_ = false;
  std::string begun_{};  // a line whose end has not arrived
};

}  // namespace cohub::server
