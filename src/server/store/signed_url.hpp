#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace cohub::server {

/// What a signed url of the content listener allows.
struct content_grant {
  std::string method{};    ///< "GET" (which allows HEAD), "PUT", or "POST" to complete an upload
  std::string sha256{};    ///< the object
  std::uint64_t size = 0;  ///< of the object, in bytes
  std::string upload{};    ///< of an object that comes in parts: which upload
  std::uint64_t part = 0;  ///< of a PUT to it, from 1
  std::uint64_t part_size = 0;  ///< of its parts, the last one apart
  std::string file_name{};      ///< what a download is called; may be empty
  std::string repository{};     ///< "models/owner/name" that an upload is for; empty for downloads
  std::int64_t expires = 0;     ///< Unix seconds
};

/// Makes and checks the urls that give access to one object for some time: whoever has the url
/// needs no token. Safe from several threads.
class url_signer {
 public:
  explicit url_signer(std::string secret) : secret_(std::move(secret)) {}

  /// Signs with another secret from now on: all that was signed before is worth nothing.
  void replace_secret(std::string secret);

  /// Path and query, to be put behind the content endpoint.
  std::string sign(const content_grant& grant) const;
  /// Nothing if the target was not made by `sign`, was changed since, or has expired by `now`.
  std::optional<content_grant> verify(std::string_view target, std::int64_t now) const;

 private:
  std::string signature_of(std::string_view text) const;

  mutable std::mutex mutex_;
  std::string secret_;
};

}  // namespace cohub::server
