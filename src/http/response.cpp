#include "http/response.hpp"

#include "cohub/error.hpp"

#include "io/with_timeout.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace cohub::http {

namespace {

constexpr std::size_t drained_rest = 64 * 1024;
constexpr std::chrono::seconds draining_time{1};  // beyond, a new connection is cheaper

}  // namespace

std::optional<std::size_t> response::try_read_some(std::span<std::byte> buffer) {
  if (!body_) return 0;
  return body_->try_read_some(buffer);
}

awaitable<void> response::wait_readable() {
  if (body_) co_await body_->wait_readable();
}

void response::settle() noexcept {
  if (body_ && body_->ended()) body_.reset();
}

awaitable<std::size_t> response::read_some(std::span<std::byte> buffer) {
  auto count = try_read_some(buffer);
  while (!count) {
    co_await wait_readable();
    count = try_read_some(buffer);
  }
  settle();
  co_return *count;
}

awaitable<std::string> response::read_all(std::uint64_t limit) {
  std::string text;
  if (length_ && *length_ > limit)
    throw error(errc::invalid_response, "reading an answer of " + std::to_string(*length_) +
                                            " bytes where at most " + std::to_string(limit) +
                                            " are expected");
  if (length_) text.reserve(static_cast<std::size_t>(*length_));
  std::vector<std::byte> piece(static_cast<std::size_t>(
      length_ ? std::clamp<std::uint64_t>(*length_, 1, 64 * 1024) : 64 * 1024));
  for (;;) {
    const std::size_t count = co_await read_some(piece);
    if (count == 0) break;
    if (text.size() + count > limit)
      throw error(errc::invalid_response,
                  "reading an answer of more than " + std::to_string(limit) + " bytes");
    text.append(reinterpret_cast<const char*>(piece.data()), count);
  }
  co_return text;
}

awaitable<void> response::finish() {
  if (length_ && *length_ > drained_rest) body_.reset();  // closing is cheaper than reading it
  std::vector<std::byte> dropped(body_ ? 16 * 1024 : 0);
  const auto end = std::chrono::steady_clock::now() + draining_time;
  try {
    for (std::size_t total = 0; body_ && total <= drained_rest;) {
      const auto count = try_read_some(dropped);
      settle();
      total += count.value_or(0);
      if (count) continue;
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= left.zero()) break;
      auto waiting = wait_readable();
      co_await io::with_timeout(std::move(waiting), left);
    }
  } catch (const error&) {
    // The answer itself has been heard.
  }
  body_.reset();
}

}  // namespace cohub::http
