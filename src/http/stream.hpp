#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace cohub::http {

/// A connected byte stream, plain or TLS. Whoever awaits an operation keeps the stream and the
/// buffer alive. A failed operation throws `boost::system::system_error`.
class stream {
 public:
  virtual ~stream() = default;

  /// At least one byte, or 0 at the end of the stream.
  virtual awaitable<std::size_t> read_some(std::span<std::byte> buffer) = 0;
  /// Writes all of `bytes`.
  virtual awaitable<void> write(std::span<const std::byte> bytes) = 0;

  /// Lets operations fail with `asio::error::timed_out` once nothing has moved for `limit`; zero:
  /// never.
  virtual void set_silence_limit(std::chrono::milliseconds limit) = 0;

  /// Whether an idle stream is still open and nothing has come unasked.
  virtual bool is_quiet() = 0;
  virtual void close() noexcept = 0;
};

/// A plain stream over a connected socket.
std::unique_ptr<stream> make_plain_stream(asio::ip::tcp::socket socket);

/// Handshakes as a client and verifies the certificate against the context's authorities and
/// `host`, a name or an address.
/// @throws error  errc::certificate_rejected with the reason
awaitable<std::unique_ptr<stream>> make_tls_stream(asio::ip::tcp::socket socket,
                                                   std::shared_ptr<asio::ssl::context> context,
                                                   std::string host);

/// Handshakes as a server with the context's certificate.
awaitable<std::unique_ptr<stream>> accept_tls_stream(asio::ip::tcp::socket socket,
                                                     std::shared_ptr<asio::ssl::context> context);

}  // namespace cohub::http
