#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ssl/context.hpp>

#include <filesystem>
#include <memory>
#include <utility>

namespace cohub::http {

/// A client's TLS settings: TLS 1.2 or newer, certificates verified against `ca_file`, else the
/// files that `SSL_CERT_FILE`, `SSL_CERT_DIR`, `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE` name, else
/// the system's store (hub-protocol, section 1.1). `ca_file` and the last two may also name a
/// folder. From a folder OpenSSL reads what a handshake needs, in the handshake.
/// @throws error  a CA file that cannot be read
std::shared_ptr<asio::ssl::context> make_tls_context(const std::filesystem::path& ca_file);

/// The one context of all TLS connections of a client, made when the first of them asks for it: on
/// a pool, for reading the authorities takes a while. Belongs to one executor.
class shared_tls_context {
 public:
  shared_tls_context(std::filesystem::path ca_file, asio::any_io_executor pool)
      : ca_file_(std::move(ca_file)), pool_(std::move(pool)) {}

  /// Cancellation ends the waiting at once: a file system that does not answer cannot be
  /// interrupted. What comes of it later is for whoever asks next.
  /// @throws error  as `make_tls_context`; all who waited for it get the same
  static awaitable<std::shared_ptr<asio::ssl::context>> get(
      std::shared_ptr<shared_tls_context> self);

 private:
  class making;

  std::filesystem::path ca_file_;
  asio::any_io_executor pool_;
  std::shared_ptr<making> now_{};  // null until somebody asks
};

}  // namespace cohub::http
