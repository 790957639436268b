#include "http/tls_context.hpp"

#include "cohub/error.hpp"

#include "core/environment.hpp"
#include "http/tls_sessions.hpp"
#include "io/on_pool.hpp"

#include <boost/asio/this_coro.hpp>

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

/// Whoever makes it lets the others look again, also when it fails or is cancelled.
struct shared_tls_context::turn {
  turn(shared_tls_context& owner, const asio::any_io_executor& executor) : self(owner) {
    self.being_made_ = std::make_shared<io::signal>(executor);
  }
  turn(turn&&) = delete;
  ~turn() { std::exchange(self.being_made_, nullptr)->notify(); }

  shared_tls_context& self;
};

awaitable<std::shared_ptr<asio::ssl::context>> shared_tls_context::get(
    std::shared_ptr<shared_tls_context> self) {
  const auto executor = co_await asio::this_coro::executor;
  while (!self->made_) {
    if (const auto other = self->being_made_) {
      co_await other->wait();
      continue;
    }
    const turn mine(*self, executor);
    auto work = [ca_file = self->ca_file_] { return make_tls_context(ca_file); };
    auto making = io::on_pool(self->pool_, std::move(work));
    self->made_ = co_await std::move(making);
  }
  co_return self->made_;
}

}  // namespace cohub::http
