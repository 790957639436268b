#pragma once

#include "http/silence_watch.hpp"
#include "http/stream.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>

namespace cohub::http {

/// What plain and TLS streams have in common: the socket, waiting for it, and the watch over its
/// silence.
class socket_stream : public stream {
 public:
  explicit socket_stream(asio::ip::tcp::socket socket);

  awaitable<void> wait_readable() override;
  void set_read_mark(std::size_t bytes) noexcept override;
  void set_silence_limit(std::chrono::milliseconds limit) override { watch_.set_limit(limit); }
  bool is_quiet() override;
  void close() noexcept override;

 protected:
  using wait_type = asio::ip::tcp::socket::wait_type;

  /// Waits for as many bytes as the mark says; false if they are slow to come, so that fewer, which
  /// wake nobody, may be there.
  awaitable<bool> wait_for_mark();
  /// Waits for the socket; `asio::error::timed_out` if the peer is silent for too long.
  awaitable<void> wait_for(wait_type what);
  bool is_open() const noexcept { return socket_.is_open(); }
  int descriptor() noexcept { return socket_.native_handle(); }
  /// Something moved. From any thread.
  void touch() noexcept { watch_.touch(); }

 private:
  asio::ip::tcp::socket socket_;
  silence_watch watch_;
  silence_watch mark_watch_;
  bool waits_for_mark_ = false;
  std::atomic<std::size_t> mark_{1};  // SO_RCVLOWAT
};

}  // namespace cohub::http
