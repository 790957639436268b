#include "http/proxy_tunnel.hpp"

#include "cohub/error.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <utility>

namespace cohub::http {

namespace {

constexpr std::size_t answer_limit = 16 * 1024;

[[noreturn]] void fail(const proxy& through, const core::origin& target, const std::string& reason,
                       http_context context) {
  throw error(errc::proxy_failure,
              "connecting to " + target.authority() + " through the proxy " + through.name() +
                  " (" + reason + ")",
              std::move(context));
}

}  // namespace

[[noreturn]] void fail_proxy(const proxy& through, const core::origin& target,
                             const std::string& reason) {
  fail(through, target, reason, {});
}

[[noreturn]] void fail_proxy(const proxy& through, const core::origin& target, int status) {
  http_context context;
  context.status = status;
  const char* const reason = status == 407 || status == 401
                                 ? "it asks for a user and password, which the proxy's url gives"
                                 : "it refuses to";
  fail(through, target, reason, std::move(context));
}

std::optional<int> connect_status(std::string_view head) noexcept {
  // "HTTP/1.1 200 Connection established"
  if (!head.starts_with("HTTP/1.") || head.size() < 12 || head[8] != ' ') return {};
  if (head.size() > 12 && head[12] != ' ' && head[12] != '\r') return {};
  int status = 0;
  for (const char digit : head.substr(9, 3)) {
    if (digit < '0' || digit > '9') return {};
    status = status * 10 + (digit - '0');
  }
  if (status < 100) return {};
  return status;
}

awaitable<void> open_tunnel(asio::ip::tcp::socket& socket, proxy through, core::origin target) {
  const std::string authority = core::host_and_port(target);
  std::string question = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
  if (!through.authorization.empty())
    question += "Proxy-Authorization: " + through.authorization + "\r\n";
  question += "\r\n";
  boost::system::error_code failure;
  co_await asio::async_write(socket, asio::buffer(question),
                             asio::redirect_error(asio::use_awaitable, failure));

  std::string head;
  std::array<char, 2048> piece{};
  std::size_t end = head.npos;
  while (!failure && end == head.npos) {
    const std::size_t count = co_await socket.async_read_some(
        asio::buffer(piece), asio::redirect_error(asio::use_awaitable, failure));
    head.append(piece.data(), count);
    end = head.find("\r\n\r\n");
    if (end == head.npos && head.size() > answer_limit)
      fail_proxy(through, target, "its answer to CONNECT is too long");
  }
  if (failure == asio::error::operation_aborted) throw boost::system::system_error(failure);
  if (failure)
    fail_proxy(through, target, "the connection ended before its answer: " + failure.message());
  const auto status = connect_status(head);
  if (!status) fail_proxy(through, target, "it does not answer as an HTTP proxy does");
  if (*status / 100 != 2) fail_proxy(through, target, *status);
  // Nobody but the target may speak inside the tunnel, and it waits for a greeting.
  if (end + 4 != head.size()) fail_proxy(through, target, "it sent more than an answer to CONNECT");
}

}  // namespace cohub::http
