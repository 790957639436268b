#include "server/wire/reply_writer.hpp"

#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "server/wire/faulty_body.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace cohub::server {

namespace {

/// Header lines of so many bytes in all, or a few more.
void add_padding(std::string& text, std::size_t bytes) {
  constexpr std::size_t line = 1000;
  for (std::size_t done = 0; done < bytes; done += line)
    text += "X-Padding: " + std::string(std::min(line, bytes - done), 'x') + "\r\n";
}

std::string head_text(const reply& answer, const reply_framing& framing) {
  const auto reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(answer.status));
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + ' ';
  text.append(reason.data(), reason.size());
  text += "\r\n";
  for (const auto& [name, value] : answer.headers) {
    text += name;
    text += ": ";
    // No header of ours holds line breaks; one that was made of foreign text must not make a second
    // header.
    for (const char c : value) text += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    text += "\r\n";
  }
  if (!answer.headers.has("X-Request-Id")) text += "X-Request-Id: " + framing.request_id + "\r\n";
  if (framing.fault) add_padding(text, framing.fault->head_padding);
  std::uint64_t length = body_size(answer);
  if (framing.fault) length = framing.fault->content_length.value_or(length);
  if (answer.status != 204 && answer.status != 304)
    text += "Content-Length: " + std::to_string(length) + "\r\n";
  text += framing.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return text;
}

/// Writes to a connection, which it closes once a piece takes longer than the slowest pace and the
/// silence that is allowed.
class paced_writer {
 public:
  paced_writer(http::stream& connection, asio::any_io_executor executor,
               const reply_framing& framing)
      : watch_(std::make_shared<watch>(connection, std::move(executor))),
        idle_limit_(framing.idle_limit),
        piece_(framing.piece),
        pace_(framing.pace) {}
  paced_writer(paced_writer&&) = delete;
  ~paced_writer() {
    watch_->connection = nullptr;
    watch_->timer.cancel();
    if (pace_ != nullptr) pace_->reset();
  }

  /// Bytes of a body that are to be written at once.
  std::size_t piece() const noexcept { return piece_; }

  awaitable<void> write(std::span<const std::byte> piece) {
    if (idle_limit_.count() > 0) {
      watch_->timer.expires_after(idle_limit_ + std::chrono::seconds(piece.size() / slowest_pace));
      watch_->timer.async_wait([watch = watch_](boost::system::error_code failed) {
        // Cancelled too late, it finds that it was set anew, or that nobody writes any more.
        const bool due = watch->timer.expiry() <= std::chrono::steady_clock::now();
        if (!failed && due && watch->connection != nullptr) watch->connection->close();
      });
    }
    if (pace_ != nullptr) pace_->begin();
    co_await watch_->connection->write(piece);
    if (pace_ != nullptr) pace_->end(piece.size());
  }

 private:
  struct watch {
    watch(http::stream& stream, asio::any_io_executor executor)
        : connection(&stream), timer(std::move(executor)) {}
    http::stream* connection;
    asio::steady_timer timer;
  };

  std::shared_ptr<watch> watch_;
  std::chrono::milliseconds idle_limit_;
  std::size_t piece_;
  pace_meter* pace_;  // null: nobody wants to know
};

// The body is lent by the caller, who awaits in the scope that owns it.
awaitable<void> write_bytes(paced_writer& to, std::string head, std::string_view body) {
  if (body.size() <= to.piece()) {
    head.append(body);
    body = {};
  }
  co_await to.write(std::as_bytes(std::span(head)));
  while (!body.empty()) {
    const auto piece = body.substr(0, to.piece());
    body.remove_prefix(piece.size());
    co_await to.write(std::as_bytes(std::span(piece)));
  }
}

awaitable<void> write_file(paced_writer& to, asio::any_io_executor pool, std::string head,
                           file_part part) {
  const std::size_t start = head.size();
  const auto capacity =
      start + static_cast<std::size_t>(std::min<std::uint64_t>(part.size, to.piece()));
  // Shared with the pool: this frame may go while a read is under way there.
  auto buffer = std::make_shared<std::vector<std::byte>>(capacity);
  std::memcpy(buffer->data(), head.data(), start);
  std::shared_ptr<io::file> source;
  std::size_t filled = start;
  std::uint64_t done = 0;
  while (done < part.size || filled > 0) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(part.size - done, capacity - filled));
    if (count > 0) {
      auto read = [buffer, source, part, filled, done, count]() mutable {
        if (!source) source = std::make_shared<io::file>(part.path, io::file::mode::read);
        const auto room = std::span(*buffer).subspan(filled, count);
        if (source->read_at(part.offset + done, room) != count)
          throw std::runtime_error("a stored file became shorter");
        return source;
      };
      source = co_await io::on_pool(pool, std::move(read));
    }
    co_await to.write(std::span<const std::byte>(*buffer).first(filled + count));
    done += count;
    filled = 0;
  }
}

}  // namespace

awaitable<bool> write_reply(http::stream& connection, asio::any_io_executor pool, reply answer,
                            reply_framing framing) {
  std::string head = head_text(answer, framing);
  const auto executor = co_await asio::this_coro::executor;
  paced_writer to(connection, executor, framing);
  if (framing.head_only || answer.status == 204 || answer.status == 304) {
    co_await to.write(std::as_bytes(std::span(head)));
    co_return true;
  }
  if (framing.fault) {
    auto writing = write_faulty_body(connection, pool, std::move(head), std::move(answer),
                                     std::move(*framing.fault), framing.file_offset);
    const bool whole = co_await std::move(writing);
    co_return whole;
  }
  if (const auto* part = std::get_if<file_part>(&answer.body)) {
    co_await write_file(to, pool, std::move(head), *part);
    co_return true;
  }
  std::string_view body;
  if (const auto* text = std::get_if<std::string>(&answer.body))
    body = *text;
  else
    body = std::get<shared_bytes>(answer.body).bytes;
  co_await write_bytes(to, std::move(head), body);
  co_return true;
}

}  // namespace cohub::server
