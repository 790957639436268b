#include "http/happy_eyeballs.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace cohub::http {

namespace {

using tcp = asio::ip::tcp;
using clock = std::chrono::steady_clock;

constexpr std::size_t most_addresses = 16;

/// What the attempts share. It lives in the frame that awaits them all.
struct race {
  struct lane {
    tcp::endpoint address;
    asio::steady_timer start;
    bool may_start = false;
    boost::system::error_code failure{};
  };

  std::deque<lane> lanes;
  std::chrono::milliseconds delay;
  std::optional<tcp::socket> winner{};

  void start_at_once(std::size_t index) {
    if (index >= lanes.size()) return;
    lanes[index].may_start = true;
    lanes[index].start.cancel();
  }
  void start_later(std::size_t index) {
    // A timer that is waited for wakes its waiter when it is set anew: it waits again.
    if (index < lanes.size() && !lanes[index].may_start) lanes[index].start.expires_after(delay);
  }
};

awaitable<void> wait_for_start(race::lane& own) {
  while (!own.may_start) {
    boost::system::error_code failure;
    co_await own.start.async_wait(asio::redirect_error(asio::use_awaitable, failure));
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    if (cancelled.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
    if (!failure) own.may_start = true;
  }
}

/// As `socket.open` does, but children of this process do not inherit it.
void open_socket(tcp::socket& socket, tcp protocol, boost::system::error_code& failure) {
  const int descriptor =
      ::socket(protocol.family(), protocol.type() | SOCK_CLOEXEC, protocol.protocol());
  if (descriptor < 0) {
    failure = {errno, boost::system::system_category()};
    return;
  }
  socket.assign(protocol, descriptor, failure);
  if (failure) ::close(descriptor);
}

/// One lane of the race, which is lent by whoever awaits all of them.
awaitable<void> attempt(race& shared, std::size_t index) {
  auto& own = shared.lanes[index];
  co_await wait_for_start(own);
  shared.start_later(index + 1);
  tcp::socket socket(co_await asio::this_coro::executor);
  open_socket(socket, own.address.protocol(), own.failure);
  if (!own.failure)
    co_await socket.async_connect(own.address,
                                  asio::redirect_error(asio::use_awaitable, own.failure));
  if (own.failure) {
    if (own.failure != asio::error::operation_aborted) shared.start_at_once(index + 1);
    throw boost::system::system_error(own.failure);
  }
  if (!shared.winner) shared.winner = std::move(socket);
}

bool is_missing_network(boost::system::error_code code) {
  return code == asio::error::network_unreachable || code == asio::error::host_unreachable ||
         code == asio::error::address_family_not_supported ||
         code == boost::system::errc::address_not_available;
}

boost::system::error_code most_telling(const race& run) {
  boost::system::error_code first = asio::error::host_not_found;
  bool any = false;
  for (const auto& lane : run.lanes) {
    if (lane.failure && !is_missing_network(lane.failure)) return lane.failure;
    if (lane.failure && !std::exchange(any, true)) first = lane.failure;
  }
  return first;
}

}  // namespace

std::vector<tcp::endpoint> interleave(std::vector<tcp::endpoint> addresses) {
  std::deque<tcp::endpoint> same;
  std::deque<tcp::endpoint> other;
  for (const auto& one : addresses)
    (one.protocol() == addresses.front().protocol() ? same : other).push_back(one);
  std::vector<tcp::endpoint> order;
  while ((!same.empty() || !other.empty()) && order.size() < most_addresses) {
    auto& from = same.empty() || (!other.empty() && order.size() % 2 == 1) ? other : same;
    order.push_back(from.front());
    from.pop_front();
  }
  return order;
}

awaitable<tcp::socket> connect_to_first(std::vector<tcp::endpoint> addresses,
                                        std::chrono::milliseconds delay) {
  const auto executor = co_await asio::this_coro::executor;
  race run{{}, delay};
  for (const auto& address : addresses)
    run.lanes.push_back({address, asio::steady_timer(executor, clock::time_point::max())});
  run.start_at_once(0);
  using operation = decltype(asio::co_spawn(executor, attempt(run, 0), asio::deferred));
  std::vector<operation> attempts;
  for (std::size_t i = 0; i < run.lanes.size(); ++i)
    attempts.push_back(asio::co_spawn(executor, attempt(run, i), asio::deferred));
  if (!attempts.empty()) {
    auto group = asio::experimental::make_parallel_group(std::move(attempts));
    co_await group.async_wait(asio::experimental::wait_for_one_success(), asio::use_awaitable);
  }
  if (!run.winner) {
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    if (cancelled.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
    throw boost::system::system_error(most_telling(run));
  }
  co_return std::move(*run.winner);
}

}  // namespace cohub::http
