#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace cohub::hub {

/// Drops a weak marker and the quotes (hub-protocol, sections 3.2 and 12.1).
std::string normalize_etag(std::string_view etag);

/// What an etag says about the content.
enum class etag_kind { git_sha1, sha256, opaque };
etag_kind kind_of_etag(std::string_view normalized) noexcept;

/// Whether a normalised etag may name a file: no '/', no "..", no control characters, 1 to 200
/// bytes.
bool is_safe_file_name(std::string_view normalized) noexcept;

/// What the HEAD of a resolve url tells about a file.
struct file_metadata {
  std::string commit{};    ///< 40 hex digits
  std::string etag{};      ///< normalised: sha256 of a large file, else git blob id
  std::uint64_t size = 0;  ///< of the content, in bytes
};

/// Reads the headers of an answer to HEAD. Headers that are missing or malformed: errc::not_a_hub,
/// errc::invalid_response.
/// @param header  value of a field, empty if absent; looks through the redirects that led here as
/// well
boost::system::result<file_metadata> read_file_metadata(
    int status, const std::function<std::string_view(std::string_view)>& header);

}  // namespace cohub::hub
