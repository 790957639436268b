// The same holds for a configuration, since people write client(co_await executor, ...).
#include "cohub/client.hpp"

#include <boost/asio/this_coro.hpp>

namespace asio = boost::asio;

cohub::awaitable<void> fetch() {
#ifdef MISUSE
  cohub::client hub(co_await asio::this_coro::executor, {.endpoint = "http://127.0.0.1:8080"});
#else
  const cohub::client_config config{.endpoint = "http://127.0.0.1:8080"};
  cohub::client hub(co_await asio::this_coro::executor, config);
#endif
  co_await hub.whoami();
}
