#include "cohub/error.hpp"

#include "http/socket_bio.hpp"
#include "http/socket_stream.hpp"
#include "http/tls_sessions.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <limits>
#include <utility>

namespace cohub::http {

namespace {

using tcp = asio::ip::tcp;

/// The largest record of TLS 1.3: head, content, its type, tag.
constexpr std::size_t largest_record = 5 + 16 * 1024 + 1 + 16;
/// OpenSSL aligns what follows the first record's head.
constexpr std::size_t alignment = 3;
/// Bytes that one call to the system brings: whole records, or each time another call would fetch
/// the rest of the last one.
constexpr std::size_t read_ahead = 8 * largest_record + alignment;

enum class outcome { done, want_read, want_write, ended };

int clamp_to_int(std::size_t size) {
  return static_cast<int>(
      std::min<std::size_t>(size, static_cast<std::size_t>(std::numeric_limits<int>::max())));
}

struct ssl_deleter {
  void operator()(SSL* handle) const noexcept { SSL_free(handle); }
};

/// OpenSSL works on the socket itself, without the buffers that asio::ssl::stream puts between
/// them: each would cost another copy of every byte.
class tls_stream final : public socket_stream {
 public:
  tls_stream(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : socket_stream(std::move(socket)),
        context_(std::move(context)),
        handle_(SSL_new(context_->native_handle())) {
    BIO* const transport = handle_ ? make_socket_bio(descriptor()) : nullptr;
    if (transport == nullptr) throw std::bad_alloc();
    SSL_set_bio(handle_.get(), transport, transport);
    SSL_set_mode(handle_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    // Without a close_notify the end of a stream may be forged: only a body that knows its length
    // can tell, so the length decides there, as in every browser.
    SSL_set_options(handle_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_set_read_ahead(handle_.get(), 1);
    SSL_set_default_read_buffer_len(handle_.get(), read_ahead);
  }

  SSL* handle() const noexcept { return handle_.get(); }

  void keep_sessions_in(std::shared_ptr<tls_session_shelf> shelf) {
    sessions_ = std::move(shelf);
    use_tls_sessions(handle_.get(), *sessions_);
  }

  awaitable<void> handshake() {
    for (;;) {
      ERR_clear_error();
      const auto result = judge(SSL_do_handshake(handle_.get()));
      if (result == outcome::done) co_return;
      if (result == outcome::ended)
        throw boost::system::system_error(asio::error::connection_reset);
      co_await wait_for(direction(result));
    }
  }

  std::optional<std::size_t> try_read_some(std::span<std::byte> buffer) override {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
      ERR_clear_error();
      const auto room = buffer.subspan(filled);
      const int count = SSL_read(handle_.get(), room.data(), clamp_to_int(room.size()));
      if (count > 0) {
        filled += static_cast<std::size_t>(count);
        continue;
      }
      if (filled > 0) break;  // what ended it comes again with the next call
      const auto result = judge(count);
      if (result == outcome::ended) return 0;
      waits_for_write_ = result == outcome::want_write;
      return {};
    }
    if (filled > 0) touch();
    return filled;
  }

  awaitable<void> wait_readable() override {
    if (waits_for_write_) return wait_for(tcp::socket::wait_write);
    return socket_stream::wait_readable();
  }

  awaitable<void> write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      ERR_clear_error();
      const int count = SSL_write(handle_.get(), bytes.data(), clamp_to_int(bytes.size()));
      if (count > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        continue;
      }
      const auto result = judge(count);
      if (result == outcome::ended) throw boost::system::system_error(asio::error::broken_pipe);
      co_await wait_for(direction(result));
    }
  }

  bool is_quiet() override { return SSL_has_pending(handle_.get()) == 0 && no_content_came(); }

  void close() noexcept override {
    if (is_open() && SSL_is_init_finished(handle_.get()) != 0) {
      ERR_clear_error();
      SSL_shutdown(handle_.get());  // as much as goes without waiting
    }
    // The system gives the number to another file: whoever still reads here must not meet that.
    forget_socket(SSL_get_rbio(handle_.get()));
    socket_stream::close();
  }

  ~tls_stream() override { close(); }

 private:
  static tcp::socket::wait_type direction(outcome result) {
    return result == outcome::want_write ? tcp::socket::wait_write : tcp::socket::wait_read;
  }

  /// An idle server may send session tickets, which are not content.
  bool no_content_came() {
    if (socket_stream::is_quiet()) return true;
    ERR_clear_error();
    char byte = 0;
    const int count = SSL_peek(handle_.get(), &byte, 1);
    return count <= 0 && SSL_get_error(handle_.get(), count) == SSL_ERROR_WANT_READ;
  }

  outcome judge(int result) {
    switch (SSL_get_error(handle_.get(), result)) {
      case SSL_ERROR_NONE:
        return outcome::done;
      case SSL_ERROR_WANT_READ:
        return outcome::want_read;
      case SSL_ERROR_WANT_WRITE:
        return outcome::want_write;
      case SSL_ERROR_ZERO_RETURN:
        return outcome::ended;
      case SSL_ERROR_SYSCALL: {
        const int code = socket_bio_error(SSL_get_rbio(handle_.get()));
        if (code == 0) return outcome::ended;
        throw boost::system::system_error(code, boost::system::system_category());
      }
      default: {
        const auto code = static_cast<int>(ERR_get_error());
        throw boost::system::system_error(code, asio::error::get_ssl_category());
      }
    }
  }

  std::shared_ptr<asio::ssl::context> context_;  // must outlive the handle that was made from it
  std::shared_ptr<tls_session_shelf> sessions_;  // must outlive the handle too
  std::unique_ptr<SSL, ssl_deleter> handle_;
  bool waits_for_write_ = false;
};

/// Names the host for SNI and for the check of the certificate, by OpenSSL's own verification. A
/// host that OpenSSL does not take, an address with a zone for example, would go unchecked.
void expect_host(SSL* handle, const std::string& host) {
  boost::system::error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  const bool taken = not_an_address
                         ? SSL_set_tlsext_host_name(handle, host.c_str()) == 1 &&
                               SSL_set1_host(handle, host.c_str()) == 1
                         : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), host.c_str()) == 1;
  ERR_clear_error();
  if (!taken)
    throw error(errc::certificate_rejected,
                "connecting to " + host + " (no certificate can be checked against that name)");
}

}  // namespace

awaitable<std::unique_ptr<stream>> make_tls_stream(tcp::socket socket,
                                                   std::shared_ptr<asio::ssl::context> context,
                                                   std::string host,
                                                   std::shared_ptr<tls_session_shelf> sessions) {
  auto made = std::make_unique<tls_stream>(std::move(socket), std::move(context));
  expect_host(made->handle(), host);
  if (sessions) made->keep_sessions_in(std::move(sessions));
  SSL_set_connect_state(made->handle());
  boost::system::error_code failure;
  try {
    co_await made->handshake();
  } catch (const boost::system::system_error& e) {
    failure = e.code();
  }
  if (failure) {
    const long verdict = SSL_get_verify_result(made->handle());
    if (verdict != X509_V_OK && failure != asio::error::operation_aborted)
      throw error(errc::certificate_rejected, "connecting to " + host + " (" +
                                                  X509_verify_cert_error_string(verdict) +
                                                  "; a private authority is trusted through "
                                                  "SSL_CERT_FILE or client_config::ca_file)");
    throw boost::system::system_error(failure);
  }
  std::unique_ptr<stream> result = std::move(made);
  co_return result;
}

awaitable<std::unique_ptr<stream>> accept_tls_stream(tcp::socket socket,
                                                     std::shared_ptr<asio::ssl::context> context) {
  auto made = std::make_unique<tls_stream>(std::move(socket), std::move(context));
  SSL_set_accept_state(made->handle());
  co_await made->handshake();
  std::unique_ptr<stream> result = std::move(made);
  co_return result;
}

}  // namespace cohub::http
