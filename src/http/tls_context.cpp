#include "http/tls_context.hpp"

#include "cohub/error.hpp"

#include "core/environment.hpp"
#include "http/tls_sessions.hpp"

namespace cohub::http {

namespace {

void trust(asio::ssl::context& context, const std::filesystem::path& authorities) {
  boost::system::error_code failure;
  std::error_code unknown;
  if (std::filesystem::is_directory(authorities, unknown))
    context.add_verify_path(authorities.string(), failure);
  else
    context.load_verify_file(authorities.string(), failure);
  if (failure)
    throw error(errc::invalid_argument,
                "reading the certificate authorities in " + authorities.string() +
                    " (a PEM file, or a folder of them as c_rehash leaves it, is expected)");
}

}  // namespace

std::shared_ptr<asio::ssl::context> make_tls_context(const std::filesystem::path& ca_file) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1);
  context->set_verify_mode(asio::ssl::verify_peer);
  // AES-128 first: a byte costs less, and servers that let the client choose take the first.
  SSL_CTX_set_ciphersuites(context->native_handle(),
                           "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                           "TLS_CHACHA20_POLY1305_SHA256");
  keep_tls_sessions(context->native_handle());
  if (!ca_file.empty()) {
    trust(*context, ca_file);
    return context;
  }
  const bool named =
      core::environment_value("SSL_CERT_FILE") || core::environment_value("SSL_CERT_DIR");
  if (!named) {
    // Users of the older Python client still set these.
    for (const char* name : {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}) {
      if (const auto authorities = core::environment_value(name)) {
        trust(*context, *authorities);
        return context;
      }
    }
  }
  context->set_default_verify_paths();  // OpenSSL itself reads SSL_CERT_FILE and SSL_CERT_DIR
  return context;
}

}  // namespace cohub::http
