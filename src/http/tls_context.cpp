#include "http/tls_context.hpp"

#include "cohub/error.hpp"

#include "core/environment.hpp"
#include "http/tls_sessions.hpp"
#include "io/on_pool.hpp"
#include "io/signal.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>

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

/// What those who wait for the context share.
struct shared_tls_context::making {
  explicit making(asio::any_io_executor executor) : over(std::move(executor)) {}

  io::signal over;
  bool done = false;
  std::exception_ptr failure{};
};

awaitable<void> shared_tls_context::make(std::shared_ptr<shared_tls_context> self,
                                         std::shared_ptr<making> now) {
  try {
    auto work = [ca_file = self->ca_file_] { return make_tls_context(ca_file); };
    auto reading = io::on_pool(self->pool_, std::move(work));
    self->made_ = co_await std::move(reading);
  } catch (...) {
    now->failure = std::current_exception();
  }
  now->done = true;
  self->now_.reset();
  now->over.notify();
}

awaitable<std::shared_ptr<asio::ssl::context>> shared_tls_context::get(
    std::shared_ptr<shared_tls_context> self) {
  if (self->made_) co_return self->made_;
  const auto executor = co_await asio::this_coro::executor;
  auto now = self->now_;
  if (!now) {
    now = std::make_shared<making>(executor);
    self->now_ = now;
    // Apart from all who wait, so that each of them may leave.
    asio::co_spawn(executor, make(self, now), asio::detached);
  }
  while (!now->done) co_await now->over.wait();
  if (now->failure) std::rethrow_exception(now->failure);
  co_return self->made_;
}

}  // namespace cohub::http
