#pragma once

#include "cohub/commit.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// The lines of a commit's NDJSON body and its answer (hub-protocol, section 7.5). Every line ends
/// in '\n'.
namespace cohub::hub {

std::string commit_header_line(std::string_view summary, std::string_view description,
                               std::string_view parent_commit);
/// A `file` line is the prefix, the base64 of the content, and the suffix, so that content streams.
std::string commit_file_prefix();
std::string commit_file_suffix(std::string_view path);
/// `size` unset: a copy of an object that the Hub knows.
std::string commit_lfs_line(std::string_view path, std::string_view sha256,
                            std::optional<std::uint64_t> size);
std::string commit_delete_line(std::string_view path, bool is_folder);

struct commit_header {
  std::string summary{};
  std::string description{};
  std::string parent_commit{};
};
struct commit_file {
  std::string path{};
  std::string content{};   ///< decoded
  std::string old_path{};  ///< where the file was until now; empty: nowhere else
};
struct commit_lfs_file {
  std::string path{};
  std::string sha256{};
  std::uint64_t size = 0;  ///< 0 where the client did not say
  std::string old_path{};  ///< as `commit_file`
};
struct commit_deleted {
  std::string path{};  ///< without final '/'
  bool is_folder = false;
};
using commit_line = std::variant<commit_header, commit_file, commit_lfs_file, commit_deleted>;

/// Reads one line without its '\n'; of another shape: errc::bad_request.
boost::system::result<commit_line> read_commit_line(std::string_view line);

/// Fills url, oid and pull request from the answer to a commit.
boost::system::result<commit_info> read_commit_reply(std::string_view body);

/// What an answer that says itself that nothing was done (`"success": false`) tells of why, which
/// may be nothing; unset: it says no such thing.
std::optional<std::string> read_commit_refusal(std::string_view body);

}  // namespace cohub::hub
