#pragma once

#include "cohub/awaitable.hpp"

#include "http/fields.hpp"
#include "http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace cohub::http {

/// An answer whose body is still on the wire. Reading it to the end gives the connection back to
/// the pool; dropping the response before that closes it.
class response {
 public:
  response() = default;
  response(response&&) noexcept = default;
  response& operator=(response&&) noexcept = default;
  ~response() = default;

  const response_head& head() const noexcept { return head_; }
  void set_redirect_headers(fields headers) { head_.redirect_headers = std::move(headers); }
  int status() const noexcept { return head_.status; }
  std::string_view header(std::string_view name) const noexcept { return head_.headers.get(name); }
  /// Body length as announced; nothing where it is chunked or ends with the connection.
  std::optional<std::uint64_t> content_length() const noexcept { return length_; }

  /// Reads what is there, at most `buffer.size()` bytes, into `buffer`, which outlives the call; 0
  /// is the end.
  /// @throws error  errc::truncated_body, errc::timed_out (stalled)
  awaitable<std::size_t> read_some(std::span<std::byte> buffer);

  /// The two halves of `read_some`, for bodies whose bytes are handled on a pool: reads what has
  /// come, without waiting (0 is the end; nothing: `wait_readable` first). Any thread may, while
  /// nothing else uses the response; `settle` comes afterwards, on the executor.
  std::optional<std::size_t> try_read_some(std::span<std::byte> buffer);
  awaitable<void> wait_readable();
  /// Gives the connection back if the body has been read to its end.
  void settle() noexcept;

  /// Reads the rest; more than `limit` bytes are errc::invalid_response.
  awaitable<std::string> read_all(std::uint64_t limit = 64u << 20);
  /// Reads and drops a short rest so that the connection can be used again. One that is long, slow
  /// or cut closes it, and is no error: nobody wants it.
  awaitable<void> finish();

  /// What carries the body: one exchange on a leased connection.
  class body {
   public:
    virtual ~body() = default;
    virtual std::optional<std::size_t> try_read_some(std::span<std::byte> buffer) = 0;
    virtual awaitable<void> wait_readable() = 0;
    virtual bool ended() const noexcept = 0;
  };
  response(response_head head, std::optional<std::uint64_t> length, std::unique_ptr<body> content)
      : head_(std::move(head)), length_(length), body_(std::move(content)) {}

 private:
  response_head head_{};
  std::optional<std::uint64_t> length_{};
  std::unique_ptr<body> body_{};  // null: no body, or read to its end
};

}  // namespace cohub::http
