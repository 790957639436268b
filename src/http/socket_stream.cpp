#include "http/socket_stream.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/socket.h>

#include <limits>
#include <utility>

namespace cohub::http {

using tcp = asio::ip::tcp;

socket_stream::socket_stream(tcp::socket socket)
    : socket_(std::move(socket)), watch_(socket_.get_executor(), [this] {
        boost::system::error_code ignored;
        socket_.cancel(ignored);
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

awaitable<void> socket_stream::wait_readable() {
  const bool partial_wait = mark_ > 1;
  boost::system::error_code failure;
  try {
    co_await wait_for(tcp::socket::wait_read);
  } catch (const boost::system::system_error& e) {
    failure = e.code();
  }
  if (failure == asio::error::timed_out && partial_wait) {
    set_read_mark(1);
    if (!socket_stream::is_quiet()) co_return;  // fewer bytes than the mark came: no silence
  }
  if (failure) throw boost::system::system_error(failure);
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
