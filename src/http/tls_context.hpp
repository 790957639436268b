#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/ssl/context.hpp>

#include <filesystem>
#include <memory>

namespace cohub::http {

/// A client's TLS settings: TLS 1.2 or newer, certificates verified against `ca_file`, else the
/// files that `SSL_CERT_FILE`, `SSL_CERT_DIR`, `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE` name, else
/// the system's store (hub-protocol, section 1.1). `ca_file` and the last two may also name a
/// folder.
/// @throws error  a CA file that cannot be read
std::shared_ptr<asio::ssl::context> make_tls_context(const std::filesystem::path& ca_file);

}  // namespace cohub::http
