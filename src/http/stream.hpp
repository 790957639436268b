#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace cohub::http {

class tls_session_shelf;

/// A connected byte stream, plain or TLS. Whoever awaits an operation keeps the stream and the
/// buffer alive. A failed operation throws `boost::system::system_error`.
///
/// Reading comes in two halves, so that the bytes of a large body (their copying and, with TLS,
/// their decryption) can be had on a thread of a pool while the executor only waits:
/// `wait_readable` belongs to the executor; `try_read_some` may run on any thread while nothing
/// else uses the stream.
class stream {
 public:
  virtual ~stream() = default;

  /// Reads what has come, without waiting: at least one byte, 0 at the end of the stream, or
  /// nothing where `wait_readable` has to come first.
  virtual std::optional<std::size_t> try_read_some(std::span<std::byte> buffer) = 0;
  /// Waits until a read may bring something: about `set_read_mark` bytes, or the end.
  virtual awaitable<void> wait_readable() = 0;
  /// At least one byte, or 0 at the end of the stream.
  awaitable<std::size_t> read_some(std::span<std::byte> buffer);
  /// Writes all of `bytes`.
  virtual awaitable<void> write(std::span<const std::byte> bytes) = 0;

  /// How many bytes are worth being woken for; at first 1. Fewer do when the peer pauses.
  virtual void set_read_mark(std::size_t bytes) noexcept = 0;
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
/// @param sessions  where sessions to resume are found and kept; null: none
/// @throws error  errc::certificate_rejected with the reason
awaitable<std::unique_ptr<stream>> make_tls_stream(
    asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context, std::string host,
    std::shared_ptr<tls_session_shelf> sessions = {});

/// Handshakes as a server with the context's certificate.
awaitable<std::unique_ptr<stream>> accept_tls_stream(asio::ip::tcp::socket socket,
                                                     std::shared_ptr<asio::ssl::context> context);

}  // namespace cohub::http
