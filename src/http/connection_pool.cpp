#include "http/connection_pool.hpp"

#include "cohub/error.hpp"

#include "http/connect.hpp"
#include "http/tls_context.hpp"
#include "http/tls_sessions.hpp"
#include "io/with_timeout.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <list>
#include <map>
#include <utility>

namespace cohub::http {

namespace {

using clock = std::chrono::steady_clock;

// Servers commonly close after 5 to 75 s of silence; a younger connection is most likely still
// open.
constexpr auto idle_lifetime = std::chrono::seconds(30);

struct idle_stream {
  std::unique_ptr<stream> connection;
  clock::time_point since;
};

}  // namespace

struct connection_pool::slot {
  struct waiter {
    asio::steady_timer turn;
    bool called = false;
  };

  std::deque<idle_stream> idle;  // the most recently used at the back
  std::size_t open = 0;          // idle and leased
  std::list<waiter*> line;
  // The proxy follows from the origin, so that a slot never holds connections of two routes.
  std::optional<std::optional<proxy>> route;
  std::shared_ptr<tls_session_shelf> sessions;  // null until https needs it

  void call_next() {
    if (line.empty()) return;
    waiter* const next = line.front();
    line.pop_front();
    next->called = true;
    next->turn.cancel();
  }
};

struct connection_pool::place {
  std::map<core::origin, slot> slots;
};

leased_connection& leased_connection::operator=(leased_connection&& other) noexcept {
  if (this != &other) {
    release();
    pool_ = std::move(other.pool_);
    origin_ = std::move(other.origin_);
    stream_ = std::move(other.stream_);
    forwarder_ = other.forwarder_;
    reused_ = other.reused_;
  }
  return *this;
}

leased_connection::~leased_connection() { release(); }

void leased_connection::release() noexcept {
  if (!pool_) return;
  stream_.reset();
  std::exchange(pool_, {})->leave(origin_);
}

void leased_connection::give_back() {
  if (!pool_) return;
  std::exchange(pool_, {})->put_idle(origin_, std::move(stream_));
}

connection_pool::connection_pool(std::size_t limit, std::filesystem::path ca_file,
                                 proxy_settings proxies)
    : limit_(limit),
      ca_file_(std::move(ca_file)),
      proxies_(std::move(proxies)),
      places_(std::make_unique<place>()) {}

connection_pool::~connection_pool() = default;

connection_pool::slot& connection_pool::slot_of(const core::origin& where) {
  return places_->slots[where];
}

const std::optional<proxy>& connection_pool::route_of(slot& here, const core::origin& where) const {
  if (!here.route) {
    const auto chosen = choose_proxy(proxies_, where);
    // Without the url, which may hold a password.
    if (!chosen)
      throw error(errc::proxy_failure,
                  "connecting to " + where.authority() + " (the url in " +
                      (where.secure() ? "HTTPS_PROXY" : "HTTP_PROXY") +
                      " or ALL_PROXY must be http://[user:password@]host:port)");
    here.route = *chosen;
  }
  return *here.route;
}

void connection_pool::put_idle(const core::origin& where, std::unique_ptr<stream> idle) {
  idle->set_silence_limit(std::chrono::milliseconds(0));
  auto& here = slot_of(where);
  here.idle.push_back({std::move(idle), clock::now()});
  here.call_next();
}

void connection_pool::leave(const core::origin& where) noexcept {
  auto& here = slot_of(where);
  --here.open;
  here.call_next();
}

std::unique_ptr<stream> connection_pool::take_idle(slot& here) {
  const auto oldest = clock::now() - idle_lifetime;
  while (!here.idle.empty()) {
    auto candidate = std::move(here.idle.back());
    here.idle.pop_back();
    if (candidate.since >= oldest && candidate.connection->is_quiet())
      return std::move(candidate.connection);
    --here.open;
  }
  return nullptr;
}

awaitable<void> connection_pool::wait_in_line(core::origin where) {
  auto& here = slot_of(where);  // slots are never removed
  const auto executor = co_await asio::this_coro::executor;
  slot::waiter self{asio::steady_timer(executor, clock::time_point::max())};
  here.line.push_back(&self);
  boost::system::error_code ignored;
  co_await self.turn.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (self.called) {
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    if (cancelled.cancelled() == asio::cancellation_type::none) co_return;
    here.call_next();  // the turn came in the same moment: pass it on
  } else {
    here.line.remove(&self);
  }
  throw boost::system::system_error(asio::error::operation_aborted);
}

awaitable<leased_connection> connection_pool::acquire(core::origin where, bool fresh,
                                                      std::chrono::milliseconds connect_limit) {
  auto& here = slot_of(where);
  const auto& through = route_of(here, where);
  leased_connection lease;
  if (through && !where.secure()) lease.forwarder_ = &*through;
  for (;;) {
    if (!fresh) {
      if (auto idle = take_idle(here)) {
        lease.pool_ = shared_from_this();
        lease.origin_ = where;
        lease.stream_ = std::move(idle);
        lease.reused_ = true;
        co_return lease;
      }
    } else if (here.open >= limit_ && !here.idle.empty()) {
      here.idle.pop_front();
      --here.open;
    }
    if (here.open < limit_) break;
    co_await wait_in_line(where);
  }
  ++here.open;
  lease.pool_ = shared_from_this();  // from here on, leaving makes room again
  lease.origin_ = where;
  if (where.secure() && !tls_) tls_ = make_tls_context(ca_file_);
  if (where.secure() && !here.sessions) here.sessions = std::make_shared<tls_session_shelf>();
  std::string doing = "connecting to " + where.authority();
  if (through) doing += " through the proxy " + through->name();
  auto opening = connect(where, through, tls_, here.sessions);
  lease.stream_ = co_await io::with_timeout(std::move(opening), connect_limit, std::move(doing));
  co_return lease;
}

std::size_t connection_pool::open_connections() const noexcept {
  std::size_t open = 0;
  for (const auto& [where, here] : places_->slots) open += here.open;
  return open;
}

void connection_pool::clear() noexcept {
  for (auto& [where, here] : places_->slots) {
    here.open -= here.idle.size();
    here.idle.clear();
  }
}

}  // namespace cohub::http
