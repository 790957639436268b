#include "http/lookup.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace cohub::http {

namespace {

using tcp = asio::ip::tcp;

/// What a lookup and whoever waits for it share; the last of them to go drops it.
struct pending_lookup {
  explicit pending_lookup(asio::any_io_executor executor)
      : over(std::move(executor), asio::steady_timer::time_point::max()) {}

  asio::steady_timer over;
  bool done = false;
  boost::system::error_code failure{};
  std::vector<tcp::endpoint> found{};
};

}  // namespace

lookup_starter system_lookup() {
  return [](asio::any_io_executor executor, const std::string& host, std::uint16_t port,
            addresses_handler handler) -> lookup_canceller {
    // Its going out of scope would cancel the lookup.
    auto resolver = std::make_shared<tcp::resolver>(std::move(executor));
    resolver->async_resolve(
        host, std::to_string(port), tcp::resolver::numeric_service,
        [resolver, handler = std::move(handler)](boost::system::error_code failure,
                                                 const tcp::resolver::results_type& results) {
          std::vector<tcp::endpoint> found;
          for (const auto& entry : results) found.push_back(entry.endpoint());
          handler(failure, std::move(found));
        });
    return [resolver] { resolver->cancel(); };
  };
}

awaitable<std::vector<tcp::endpoint>> look_up(std::string host, std::uint16_t port,
                                              lookup_starter start) {
  std::vector<tcp::endpoint> found;
  boost::system::error_code failure;
  const auto literal = asio::ip::make_address(host, failure);
  if (!failure) {
    found.emplace_back(literal, port);
    co_return found;
  }
  const auto executor = co_await asio::this_coro::executor;
  const auto pending = std::make_shared<pending_lookup>(executor);
  addresses_handler handler = [pending](boost::system::error_code code,
                                        std::vector<tcp::endpoint> addresses) {
    pending->done = true;
    pending->failure = code;
    pending->found = std::move(addresses);
    pending->over.cancel();
  };
  const auto cancel = start(executor, host, port, std::move(handler));
  if (!pending->done) {
    boost::system::error_code woken;
    co_await pending->over.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    if (!pending->done) cancel();
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  if (pending->failure) throw boost::system::system_error(pending->failure);
  found = std::move(pending->found);
  co_return found;
}

}  // namespace cohub::http
