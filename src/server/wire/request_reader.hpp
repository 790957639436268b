#pragma once

#include "http/stream.hpp"
#include "server/wire/message.hpp"

#include <chrono>
#include <memory>
#include <optional>

namespace cohub::server {

/// Reads one request after the other from a connection, which outlives it.
class request_reader final : public request_body {
 public:
  /// @param silence  how long the connection may be still while a body is read
  request_reader(http::stream& connection, std::chrono::milliseconds silence);
  ~request_reader() override;

  /// The next request's head; nothing when the client has closed the connection in between. Drops
  /// what is left of the body before.
  /// @throws failure  400, 431: not HTTP, too large
  awaitable<std::optional<request_head>> read_head();

  /// @throws failure  400: cut off or malformed; 408: slower than `slowest_pace`
  awaitable<std::size_t> read_some(std::span<std::byte> buffer) override;

  /// Whether the body has been read to its end.
  bool at_end() const noexcept;
  /// Reads and drops the rest of the body, at most `limit` bytes; false if there was more.
  awaitable<bool> drain(std::uint64_t limit);
  /// Bytes in a second with which the body has come of late; nothing where none is awaited, or not
  /// for long enough to tell.
  std::optional<double> pace() const noexcept;
  /// Whether the client still waits for "100 Continue": it has sent nothing of the body.
  bool continue_pending() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace cohub::server
