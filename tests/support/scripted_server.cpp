#include "support/scripted_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cctype>
#include <list>

namespace cohub::test {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

std::string seen_request::header(const std::string& name) const {
  std::string lower = head;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto at = lower.find("\r\n" + name + ": ");
  if (at == lower.npos) return {};
  const auto begin = at + name.size() + 4;
  return head.substr(begin, std::min(head.find("\r\n", begin), head.size()) - begin);
}

scripted_reply scripted_reply::text(int status, const std::string& body,
                                    const std::string& headers) {
  scripted_reply reply;
  reply.bytes = "HTTP/1.1 " + std::to_string(status) +
                " Scripted\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers +
                "\r\n" + body;
  return reply;
}

struct scripted_server::state {
  tcp::acceptor acceptor;
  script answer;
  std::shared_ptr<asio::ssl::context> tls;
  std::vector<seen_request> seen;
  std::size_t connections = 0;
  std::list<tcp::socket*> sockets;
  bool stopped = false;
};

namespace detail {

template <class State, class Stream>
asio::awaitable<void> converse(std::shared_ptr<State> self, Stream& stream, tcp::socket& socket) {
  std::string buffer;
  while (!self->stopped) {
    boost::system::error_code failure;
    const std::size_t head_size =
        co_await asio::async_read_until(stream, asio::dynamic_buffer(buffer), "\r\n\r\n",
                                        asio::redirect_error(asio::use_awaitable, failure));
    if (failure) co_return;
    seen_request request;
    request.head = buffer.substr(0, head_size - 4);
    request.line = request.head.substr(0, request.head.find("\r\n"));
    buffer.erase(0, head_size);
    const auto length = request.header("content-length");
    const std::size_t body_size = length.empty() ? 0 : std::stoul(length);
    if (buffer.size() < body_size) {
      co_await asio::async_read(stream, asio::dynamic_buffer(buffer),
                                asio::transfer_exactly(body_size - buffer.size()),
                                asio::redirect_error(asio::use_awaitable, failure));
      if (failure) co_return;
    }
    request.body = buffer.substr(0, body_size);
    buffer.erase(0, body_size);
    self->seen.push_back(request);
    const auto reply = self->answer(request);
    const std::size_t piece =
        reply.pace.count() > 0 ? 1 : std::max<std::size_t>(reply.bytes.size(), 1);
    asio::steady_timer timer(socket.get_executor(), reply.lag);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, failure));
    for (std::size_t sent = 0; sent < reply.bytes.size() && !failure; sent += piece) {
      if (sent > 0) {
        timer.expires_after(reply.pace);
        co_await timer.async_wait(asio::use_awaitable);
      }
      co_await asio::async_write(stream, asio::buffer(asio::buffer(reply.bytes) + sent, piece),
                                 asio::redirect_error(asio::use_awaitable, failure));
    }
    if (failure) co_return;
    if (reply.tunnel) {
      asio::ssl::stream<tcp::socket&> inner(socket, *reply.tunnel);
      co_await inner.async_handshake(asio::ssl::stream_base::server,
                                     asio::redirect_error(asio::use_awaitable, failure));
      if (!failure) co_await converse(self, inner, socket);
      co_return;
    }
    switch (reply.after) {
      case scripted_reply::then::keep:
        break;
      case scripted_reply::then::close:
        co_return;
      case scripted_reply::then::garble: {
        const std::string alert("\x15\x03\x03\x00\x02\x02\x28", 7);  // not encrypted
        co_await asio::async_write(socket, asio::buffer(alert),
                                   asio::redirect_error(asio::use_awaitable, failure));
        char byte = 0;  // until the client gives up
        co_await socket.async_read_some(asio::buffer(&byte, 1),
                                        asio::redirect_error(asio::use_awaitable, failure));
        co_return;
      }
      case scripted_reply::then::reset: {
        socket.set_option(asio::socket_base::linger(true, 0), failure);
        socket.close(failure);
        co_return;
      }
      case scripted_reply::then::stall: {
        char byte = 0;  // until the client gives up
        co_await stream.async_read_some(asio::buffer(&byte, 1),
                                        asio::redirect_error(asio::use_awaitable, failure));
        co_return;
      }
    }
  }
}

template <class State>
asio::awaitable<void> serve(std::shared_ptr<State> self, tcp::socket socket) {
  if (!self->tls) {
    const auto place = self->sockets.insert(self->sockets.end(), &socket);
    co_await converse(self, socket, socket);
    self->sockets.erase(place);
    co_return;
  }
  asio::ssl::stream<tcp::socket> stream(std::move(socket), *self->tls);
  const auto place = self->sockets.insert(self->sockets.end(), &stream.next_layer());
  boost::system::error_code failure;
  co_await stream.async_handshake(asio::ssl::stream_base::server,
                                  asio::redirect_error(asio::use_awaitable, failure));
  if (!failure) co_await converse(self, stream, stream.next_layer());
  self->sockets.erase(place);
}

template <class State>
asio::awaitable<void> accept(std::shared_ptr<State> self) {
  while (!self->stopped) {
    boost::system::error_code failure;
    tcp::socket socket =
        co_await self->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
    if (failure) co_return;
    ++self->connections;
    asio::co_spawn(self->acceptor.get_executor(), serve(self, std::move(socket)), asio::detached);
  }
}

}  // namespace detail

scripted_server::scripted_server(asio::io_context& context, script answer,
                                 std::shared_ptr<asio::ssl::context> tls)
    : state_(std::make_shared<state>(
          state{tcp::acceptor(context, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
                std::move(answer),
                std::move(tls),
                {},
                0,
                {},
                false})) {
  asio::co_spawn(context, detail::accept(state_), asio::detached);
}

scripted_server::~scripted_server() {
  state_->stopped = true;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  for (auto* socket : state_->sockets) socket->close(ignored);
}

std::uint16_t scripted_server::port() const { return state_->acceptor.local_endpoint().port(); }

std::string scripted_server::origin() const {
  const std::string port_text = std::to_string(port());
  return state_->tls ? "https://localhost:" + port_text : "http://127.0.0.1:" + port_text;
}

const std::vector<seen_request>& scripted_server::seen() const { return state_->seen; }

std::size_t scripted_server::connections() const { return state_->connections; }

}  // namespace cohub::test
