#include "transfer/retry_wait.hpp"

#include "http/retry_policy.hpp"
#include "transfer/download_retry.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cohub::transfer {

awaitable<void> wait_for(std::chrono::milliseconds delay) {
  asio::steady_timer timer(co_await asio::this_coro::executor, delay);
  co_await timer.async_wait(asio::use_awaitable);
}

awaitable<bool> wait_before_next(retry_limits limits, std::size_t tries) {
  const auto delay = http::next_delay(limits, tries, {}, http::draw_jitter());
  if (!delay) co_return false;
  co_await wait_for(*delay);
  co_return true;
}

}  // namespace cohub::transfer
