#include "server/wire/faulty_body.hpp"

#include "io/file.hpp"
#include "io/on_pool.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

namespace cohub::server {

namespace {

constexpr std::uint64_t largest_piece = 512 * 1024;

/// Where the body ends early.
std::uint64_t cut_of(const hub_fault& fault, std::uint64_t size) {
  return std::min(fault.drop_after_bytes.value_or(size), fault.stall_after_bytes.value_or(size));
}

void corrupt(std::optional<std::uint64_t> at, std::uint64_t offset, std::span<char> bytes) {
  if (at && *at >= offset && *at - offset < bytes.size())
    bytes[static_cast<std::size_t>(*at - offset)] ^= static_cast<char>(0xff);
}

/// Bytes [offset, offset + count) of the body. Blocking.
std::string read_piece(const reply& answer, std::uint64_t offset, std::size_t count) {
  if (const auto* text = std::get_if<std::string>(&answer.body))
    return text->substr(static_cast<std::size_t>(offset), count);
  if (const auto* bytes = std::get_if<shared_bytes>(&answer.body))
    return std::string(bytes->bytes.substr(static_cast<std::size_t>(offset), count));
  const auto& part = std::get<file_part>(answer.body);
  std::string piece(count, '\0');
  io::file source(part.path, io::file::mode::read);
  if (source.read_at(part.offset + offset, std::as_writable_bytes(std::span(piece))) != count)
    throw std::runtime_error("a stored file became shorter");
  return piece;
}

awaitable<void> pause(std::chrono::milliseconds interval) {
  asio::steady_timer timer(co_await asio::this_coro::executor, interval);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

awaitable<bool> write_faulty_body(http::stream& connection, asio::any_io_executor pool,
                                  std::string head, reply answer, hub_fault fault,
                                  std::uint64_t file_offset) {
  const std::uint64_t size = body_size(answer);
  const std::uint64_t end = std::min(cut_of(fault, size), size);
  const std::uint64_t step = fault.trickle_bytes > 0
                                 ? std::min<std::uint64_t>(fault.trickle_bytes, largest_piece)
                                 : largest_piece;
  const auto source = std::make_shared<const reply>(std::move(answer));
  std::string bytes = std::move(head);
  for (std::uint64_t done = 0; done < end || !bytes.empty();) {
    const auto count = static_cast<std::size_t>(std::min(step, end - done));
    auto read = [source, done, count] { return read_piece(*source, done, count); };
    auto piece = co_await io::on_pool(pool, std::move(read));
    corrupt(fault.corrupt_byte, done, piece);
    corrupt(fault.corrupt_file_byte, file_offset + done, piece);
    bytes += piece;
    co_await connection.write(std::as_bytes(std::span(bytes)));
    bytes.clear();
    done += count;
    if (fault.trickle_bytes > 0 && fault.trickle_interval.count() > 0 && done < end)
      co_await pause(fault.trickle_interval);
  }
  co_return end == size&& fault.content_length.value_or(size) == size;
}

}  // namespace cohub::server
