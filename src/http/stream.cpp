#include "http/stream.hpp"

#include "cohub/error.hpp"

#include "http/silence_watch.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <utility>

namespace cohub::http {

namespace {

using tcp = asio::ip::tcp;

void close_socket(tcp::socket& socket) noexcept {
  boost::system::error_code ignored;
  socket.close(ignored);
}

using tls_layer = asio::ssl::stream<tcp::socket>;

tcp::socket& socket_of(tcp::socket& layer) { return layer; }
tcp::socket& socket_of(tls_layer& layer) { return layer.next_layer(); }

/// `Layer` is a tcp::socket or an ssl::stream over one.
template <class Layer>
class stream_over final : public stream {
 public:
  explicit stream_over(std::unique_ptr<Layer> layer,
                       std::shared_ptr<asio::ssl::context> context = {})
      : context_(std::move(context)),
        layer_(std::move(layer)),
        watch_(layer_->get_executor(), [this] { close(); }) {}

  awaitable<std::size_t> read_some(std::span<std::byte> buffer) override {
    boost::system::error_code failure;
    watch_.touch();
    const std::size_t count =
        co_await layer_->async_read_some(asio::buffer(buffer.data(), buffer.size()),
                                         asio::redirect_error(asio::use_awaitable, failure));
    watch_.touch();
    // Without a close_notify the end of a TLS stream may be forged: only a body that knows its
    // length can tell, so the length decides there, as in every browser.
    if (failure == asio::error::eof || failure == asio::ssl::error::stream_truncated) co_return 0;
    check(failure);
    co_return count;
  }

  awaitable<void> write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      boost::system::error_code failure;
      watch_.touch();
      const std::size_t count =
          co_await layer_->async_write_some(asio::buffer(bytes.data(), bytes.size()),
                                            asio::redirect_error(asio::use_awaitable, failure));
      watch_.touch();
      check(failure);
      bytes = bytes.subspan(count);
    }
  }

  void set_silence_limit(std::chrono::milliseconds limit) override { watch_.set_limit(limit); }

  bool is_quiet() override {
    auto& socket = socket_of(*layer_);
    if (!socket.is_open()) return false;
    boost::system::error_code failure;
    socket.non_blocking(true, failure);
    if (failure) return false;
    char byte = 0;
    socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, failure);
    return failure == asio::error::would_block;
  }

  void close() noexcept override { close_socket(socket_of(*layer_)); }

 private:
  void check(boost::system::error_code failure) const {
    if (watch_.fired()) failure = asio::error::timed_out;
    if (failure) throw boost::system::system_error(failure);
  }

  std::shared_ptr<asio::ssl::context> context_;  // must outlive the layer that was made from it
  std::unique_ptr<Layer> layer_;
  silence_watch watch_;
};

/// Names the host for SNI and for the check of the certificate, by OpenSSL's own verification.
void expect_host(tls_layer& layer, const std::string& host) {
  SSL* const handle = layer.native_handle();
  boost::system::error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  if (not_an_address) {
    SSL_set_tlsext_host_name(handle, host.c_str());
    SSL_set1_host(handle, host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), host.c_str());
  }
}

}  // namespace

std::unique_ptr<stream> make_plain_stream(tcp::socket socket) {
  return std::make_unique<stream_over<tcp::socket>>(
      std::make_unique<tcp::socket>(std::move(socket)));
}

awaitable<std::unique_ptr<stream>> make_tls_stream(tcp::socket socket,
                                                   std::shared_ptr<asio::ssl::context> context,
                                                   std::string host) {
  auto layer = std::make_unique<tls_layer>(std::move(socket), *context);
  expect_host(*layer, host);
  boost::system::error_code failure;
  co_await layer->async_handshake(asio::ssl::stream_base::client,
                                  asio::redirect_error(asio::use_awaitable, failure));
  if (failure) {
    const long verdict = SSL_get_verify_result(layer->native_handle());
    close_socket(layer->next_layer());
    if (verdict != X509_V_OK)
      throw error(errc::certificate_rejected, "connecting to " + host + " (" +
                                                  X509_verify_cert_error_string(verdict) +
                                                  "; a private authority is trusted through "
                                                  "SSL_CERT_FILE or client_config::ca_file)");
    throw boost::system::system_error(failure);
  }
  std::unique_ptr<stream> result =
      std::make_unique<stream_over<tls_layer>>(std::move(layer), std::move(context));
  co_return result;
}

awaitable<std::unique_ptr<stream>> accept_tls_stream(tcp::socket socket,
                                                     std::shared_ptr<asio::ssl::context> context) {
  auto layer = std::make_unique<tls_layer>(std::move(socket), *context);
  co_await layer->async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
  std::unique_ptr<stream> result =
      std::make_unique<stream_over<tls_layer>>(std::move(layer), std::move(context));
  co_return result;
}

}  // namespace cohub::http
