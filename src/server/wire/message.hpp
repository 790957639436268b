#pragma once

#include "cohub/awaitable.hpp"

#include "http/fields.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

/// One request and its answer, as the handlers see them.
namespace cohub::server {

/// Bytes in a second that bodies and answers move with at least, on the average: silence alone
/// would let a client hold a connection and what it needs with a byte now and then, for ever.
constexpr std::size_t slowest_pace = 1024;

struct request_head {
  std::string method{};
  std::string target{};  ///< path and query, percent-encoded
  http::fields headers{};
  bool keep_alive = true;
  bool expects_continue = false;
  std::optional<std::uint64_t> content_length{};  ///< nothing: no body, or a chunked one
  bool has_body = false;
  std::string peer{};  ///< address of the client, without port
};

/// The body of a request, still on the wire.
class request_body {
 public:
  virtual ~request_body() = default;
  /// Fills the front of `buffer`, which outlives the call; 0 is the end. A client that waits for
  /// "100 Continue" gets it at the first read.
  virtual awaitable<std::size_t> read_some(std::span<std::byte> buffer) = 0;
};

/// Bytes kept alive by whoever owns them.
struct shared_bytes {
  std::shared_ptr<const void> owner{};
  std::string_view bytes{};
};

/// A part of a file on disk, sent as it is read.
struct file_part {
  std::filesystem::path path{};
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct reply {
  int status = 200;
  http::fields headers{};
  std::variant<std::string, shared_bytes, file_part> body{};
  std::shared_ptr<const void> room{};  ///< what its bytes in memory are counted by
};

/// Length of an answer's body in bytes.
inline std::uint64_t body_size(const reply& answer) noexcept {
  if (const auto* text = std::get_if<std::string>(&answer.body)) return text->size();
  if (const auto* bytes = std::get_if<shared_bytes>(&answer.body)) return bytes->bytes.size();
  return std::get<file_part>(answer.body).size;
}

/// Bytes of it that are in memory, where they are so many that they count: questions are answered
/// even while others have all the room.
inline std::size_t memory_of(const reply& answer) noexcept {
  constexpr std::uint64_t few = 64 * 1024;
  const auto size = body_size(answer);
  if (size <= few || std::holds_alternative<file_part>(answer.body)) return 0;
  return static_cast<std::size_t>(size);
}

/// What answers the requests of one listener. Never throws anything but what the body's reading
/// throws.
class request_handler {
 public:
  virtual ~request_handler() = default;
  /// `body` outlives the returned coroutine.
  virtual awaitable<reply> answer(request_head head, request_body& body) = 0;
};

}  // namespace cohub::server
