#include "hub/file_metadata.hpp"

#include "cohub/error.hpp"

#include "core/byte_range.hpp"
#include "core/hex.hpp"
#include "hub/repo_id.hpp"

#include <algorithm>

namespace cohub::hub {

std::string normalize_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  while (etag.starts_with('"')) etag.remove_prefix(1);
  while (etag.ends_with('"')) etag.remove_suffix(1);
  return std::string(etag);
}

etag_kind kind_of_etag(std::string_view normalized) noexcept {
  if (core::is_hex(normalized, 64)) return etag_kind::sha256;
  if (core::is_hex(normalized, 40)) return etag_kind::git_sha1;
  return etag_kind::opaque;
}

bool is_safe_file_name(std::string_view normalized) noexcept {
  return !normalized.empty() && normalized.size() <= 200 && normalized != "." &&
         normalized.find("..") == normalized.npos &&
         std::all_of(normalized.begin(), normalized.end(), [](char c) {
           return static_cast<unsigned char>(c) >= 0x20 && c != '/' && c != '\\' && c != 0x7f;
         });
}

boost::system::result<file_metadata> read_file_metadata(
    int status, const std::function<std::string_view(std::string_view)>& header) {
  file_metadata metadata;
  metadata.commit = std::string(header("X-Repo-Commit"));
  if (metadata.commit.empty()) return make_error_code(errc::not_a_hub);
  if (!is_commit_id(metadata.commit)) return make_error_code(errc::invalid_response);

  const auto linked = header("X-Linked-Etag");
  metadata.etag = normalize_etag(linked.empty() ? header("ETag") : linked);
  if (metadata.etag.empty()) return make_error_code(errc::not_a_hub);
  if (!is_safe_file_name(metadata.etag)) return make_error_code(errc::invalid_response);

  const auto linked_size = header("X-Linked-Size");
  // The length of a redirect is that of its own text.
  const bool redirect = status / 100 == 3;
  if (linked_size.empty() && redirect) return make_error_code(errc::not_a_hub);
  const auto size =
      core::parse_decimal(linked_size.empty() ? header("Content-Length") : linked_size);
  if (!size) return make_error_code(errc::not_a_hub);
  metadata.size = *size;
  return metadata;
}

}  // namespace cohub::hub
