#include "http/socket_stream.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/socket.h>

#include <limits>
#include <utility>

namespace cohub::http {

using tcp = asio::ip::tcp;

namespace {

/// A mark is what comes within some milliseconds: several times that, and the stream has slowed.
constexpr std::chrono::milliseconds mark_patience{50};

}  // namespace

socket_stream::socket_stream(tcp::socket socket)
    : socket_(std::move(socket)),
      watch_(socket_.get_executor(),
             [this] {
               boost::system::error_code ignored;
               socket_.cancel(ignored);
             }),
      mark_watch_(socket_.get_executor(), [this] {
        boost::system::error_code ignored;
        if (waits_for_mark_) socket_.cancel(ignored);
      }) {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
}

awaitable<void> socket_stream::wait_for(wait_type what) {
  watch_.restart();
  boost::system::error_code failure;
  co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, failure));
  if (failure == asio::error::operation_aborted && watch_.fired()) failure = asio::error::timed_out;
  if (failure) throw boost::system::system_error(failure);
}

awaitable<bool> socket_stream::wait_for_mark() {
  mark_watch_.set_limit(mark_patience);
  mark_watch_.restart();
  watch_.restart();
  boost::system::error_code failure;
  waits_for_mark_ = true;
  co_await socket_.async_wait(tcp::socket::wait_read,
                              asio::redirect_error(asio::use_awaitable, failure));
  waits_for_mark_ = false;
  const bool too_long = mark_watch_.fired() || watch_.fired();
  if (failure == asio::error::operation_aborted && too_long) co_return false;
  if (failure) throw boost::system::system_error(failure);
  co_return true;
}

awaitable<void> socket_stream::wait_readable() {
  if (mark_ > 1) {
    const bool came = co_await wait_for_mark();
    if (came) co_return;
    set_read_mark(1);
  }
  co_await wait_for(tcp::socket::wait_read);
}

void socket_stream::set_read_mark(std::size_t bytes) noexcept {
  if (bytes == mark_) return;
  mark_ = bytes;
  const int value = static_cast<int>(
      std::min<std::size_t>(bytes, static_cast<std::size_t>(std::numeric_limits<int>::max())));
  ::setsockopt(descriptor(), SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value));
}

bool socket_stream::is_quiet() {
  if (!socket_.is_open()) return false;
  char byte = 0;
  const auto count = ::recv(descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void socket_stream::close() noexcept {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace cohub::http
