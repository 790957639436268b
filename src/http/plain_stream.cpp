#include "http/socket_stream.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace cohub::http {

namespace {

[[noreturn]] void fail(int code) {
  throw boost::system::system_error(code, boost::system::system_category());
}

bool would_block(int code) { return code == EAGAIN || code == EWOULDBLOCK; }

class plain_stream final : public socket_stream {
 public:
  using socket_stream::socket_stream;

  std::optional<std::size_t> try_read_some(std::span<std::byte> buffer) override {
    for (;;) {
      const auto count = ::recv(descriptor(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count >= 0) {
        touch();
        return static_cast<std::size_t>(count);
      }
      if (would_block(errno)) return {};
      if (errno != EINTR) fail(errno);
    }
  }

  awaitable<void> write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const auto count =
          ::send(descriptor(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        if (bytes.empty()) break;
      } else if (would_block(errno)) {
        co_await wait_for(asio::ip::tcp::socket::wait_write);
      } else if (errno != EINTR) {
        fail(errno);
      }
    }
  }
};

}  // namespace

std::unique_ptr<stream> make_plain_stream(asio::ip::tcp::socket socket) {
  return std::make_unique<plain_stream>(std::move(socket));
}

}  // namespace cohub::http
