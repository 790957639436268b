#include "server/wire/faulty_exchange.hpp"

#include "server/error_reply.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace cohub::server {

awaitable<void> stay_silent(http::stream& connection) {
  connection.set_silence_limit({});
  std::array<std::byte, 1024> scrap{};
  for (;;) {
    const std::size_t count = co_await connection.read_some(scrap);
    if (count == 0) co_return;
  }
}

awaitable<bool> hold_back(hub_fault fault, http::stream& connection) {
  if (fault.delay.count() > 0) {
    asio::steady_timer timer(co_await asio::this_coro::executor, fault.delay);
    connection.set_silence_limit({});
    co_await timer.async_wait(asio::use_awaitable);
  }
  if (fault.stall) co_await stay_silent(connection);
  co_return !fault.stall;
}

std::optional<reply> answer_of_fault(const hub_fault& fault, const request_head& head) {
  if (fault.status == 0 && fault.redirect_to.empty() && !fault.redirect_to_itself) return {};
  const std::string location = fault.redirect_to_itself ? head.target : fault.redirect_to;
  reply answer;
  if (fault.status >= 400)
    answer = error_reply(fault.status, {}, "fault on order");
  else
    answer.status = fault.status == 0 ? 302 : fault.status;
  if (!location.empty()) answer.headers.set("Location", location);
  if (!fault.body.empty() && fault.status < 400)
    answer.headers.set("Content-Type", "application/json; charset=utf-8");
  return answer;
}

void alter_reply(const hub_fault& fault, reply& answer) {
  if (!fault.body.empty()) answer.body = fault.body;
  for (const auto& [name, value] : fault.headers) answer.headers.set(name, value);
}

awaitable<std::size_t> cut_body::read_some(std::span<std::byte> buffer) {
  if (left_ == 0) throw std::runtime_error("the body is cut on order");
  const auto wanted = std::min<std::uint64_t>(left_, buffer.size());
  const std::size_t count =
      co_await whole_.read_some(buffer.first(static_cast<std::size_t>(wanted)));
  left_ -= count;
  co_return count;
}

}  // namespace cohub::server
