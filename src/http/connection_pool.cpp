#include "http/connection_pool.hpp"

#include "cohub/error.hpp"

#include "http/connect.hpp"
#include "http/tls_context.hpp"
#include "http/tls_sessions.hpp"
#include "io/signal.hpp"
#include "io/with_timeout.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <utility>

namespace cohub::http {

namespace {

using clock = std::chrono::steady_clock;

struct idle_stream {
  std::unique_ptr<stream> connection;
  clock::time_point since;
};

}  // namespace

struct connection_pool::slot {
  std::deque<idle_stream> idle;  // the most recently used at the back
  std::size_t open = 0;          // idle, leased, and those that somebody has the right to open
  std::list<waiter*> line;       // by ticket
  // The proxy follows from the origin, so that a slot never holds connections of two routes.
  std::optional<std::optional<proxy>> route;
  std::shared_ptr<tls_session_shelf> sessions;  // null until https needs it
};

/// A place in line. Going out of scope leaves it, and passes on what was given to it meanwhile.
struct connection_pool::waiter {
  waiter(connection_pool& owner, const core::origin& to, asio::any_io_executor executor,
         bool wants_fresh, std::uint64_t number)
      : pool(owner), where(to), turn(std::move(executor)), fresh(wants_fresh), ticket(number) {
    auto& line = pool.slot_of(where).line;
    const auto later = [this](const waiter* other) { return other->ticket > ticket; };
    line.insert(std::find_if(line.begin(), line.end(), later), this);
  }
  waiter(waiter&&) = delete;
  ~waiter() {
    if (!called) {
      pool.slot_of(where).line.remove(this);
    } else if (given) {
      pool.put_idle(where, std::move(given));
    } else if (!served) {
      pool.leave(where);
    }
  }

  connection_pool& pool;
  const core::origin& where;
  io::signal turn;
  const bool fresh;
  const std::uint64_t ticket;
  bool called = false;              // and out of the line
  bool served = false;              // has what was given, too
  std::unique_ptr<stream> given{};  // null when called: the right to open one
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
    ticket_ = other.ticket_;
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

connection_pool::connection_pool(pool_limits limits, std::shared_ptr<shared_tls_context> tls,
                                 proxy_settings proxies)
    : limits_(limits),
      tls_(std::move(tls)),
      proxies_(std::move(proxies)),
      places_(std::make_unique<place>()) {
  limits_.all_origins = std::max(limits_.all_origins, limits_.each_origin);
}

connection_pool::~connection_pool() = default;

connection_pool::slot& connection_pool::slot_of(const core::origin& where) {
  return places_->slots[where];
}

const std::optional<proxy>& connection_pool::route_of(slot& here, const core::origin& where) const {
  if (!here.route) {
    const auto chosen = choose_proxy(proxies_, where);
    // Without the url, which may hold a password.
    if (!chosen)
      throw error(errc::invalid_url, "connecting to " + where.authority() + " (the url in " +
                                         (where.secure() ? "HTTPS_PROXY" : "HTTP_PROXY") +
                                         " or ALL_PROXY must be http://[user:password@]host:port)");
    here.route = *chosen;
  }
  return *here.route;
}

void connection_pool::put_idle(const core::origin& where, std::unique_ptr<stream> idle) {
  idle->set_silence_limit(std::chrono::milliseconds(0));
  slot_of(where).idle.push_back({std::move(idle), clock::now()});
  serve_line();
}

void connection_pool::leave(const core::origin& where) noexcept {
  --slot_of(where).open;
  serve_line();
}

std::unique_ptr<stream> connection_pool::take_idle(slot& here) {
  const auto oldest = clock::now() - limits_.idle_lifetime;
  while (!here.idle.empty()) {
    auto candidate = std::move(here.idle.back());
    here.idle.pop_back();
    if (candidate.since >= oldest && candidate.connection->is_quiet())
      return std::move(candidate.connection);
    --here.open;
  }
  return nullptr;
}

/// Of all servers, whichever is asked: one that is not asked again would else see its connections
/// open until the client goes.
void connection_pool::close_expired() {
  const auto oldest = clock::now() - limits_.idle_lifetime;
  for (auto& [where, here] : places_->slots) {
    while (!here.idle.empty() && here.idle.front().since < oldest) {
      here.idle.pop_front();
      --here.open;
    }
  }
}

bool connection_pool::close_oldest_idle() {
  slot* oldest = nullptr;
  for (auto& [where, here] : places_->slots)
    if (!here.idle.empty() &&
        (oldest == nullptr || here.idle.front().since < oldest->idle.front().since))
      oldest = &here;
  if (oldest == nullptr) return false;
  oldest->idle.pop_front();
  --oldest->open;
  return true;
}

bool connection_pool::any_idle() const noexcept {
  for (const auto& [where, here] : places_->slots)
    if (!here.idle.empty()) return true;
  return false;
}

/// Whether an idle connection, or the right to open one, is to be had.
bool connection_pool::may_claim(const slot& here) const noexcept {
  if (!here.idle.empty()) return true;  // to be used, or closed to make room
  return here.open < limits_.each_origin &&
         (open_connections() < limits_.all_origins || any_idle());
}

/// Takes it; null: the right to open one.
std::unique_ptr<stream> connection_pool::claim(slot& here, bool fresh) {
  if (!fresh)
    if (auto idle = take_idle(here)) return idle;
  if (here.open >= limits_.each_origin) {
    here.idle.pop_front();
    --here.open;
  } else if (open_connections() >= limits_.all_origins) {
    close_oldest_idle();
  }
  ++here.open;
  return nullptr;
}

/// Gives what has become free to whoever has waited longest for it.
void connection_pool::serve_line() noexcept {
  for (;;) {
    slot* first = nullptr;
    for (auto& [where, here] : places_->slots)
      if (!here.line.empty() && may_claim(here) &&
          (first == nullptr || here.line.front()->ticket < first->line.front()->ticket))
        first = &here;
    if (first == nullptr) return;
    waiter* const next = first->line.front();
    first->line.pop_front();
    next->given = claim(*first, next->fresh);
    next->called = true;
    next->turn.notify();
  }
}

/// Yields what `claim` does.
awaitable<std::unique_ptr<stream>> connection_pool::wait_in_line(core::origin where, bool fresh,
                                                                 std::uint64_t ticket) {
  const auto executor = co_await asio::this_coro::executor;
  waiter self(*this, where, executor, fresh, ticket);
  // Where it is cancelled in the moment in which its turn comes, that is passed on.
  while (!self.called) co_await self.turn.wait();
  self.served = true;
  co_return std::move(self.given);
}

namespace {

awaitable<std::unique_ptr<stream>> open_stream(std::shared_ptr<address_book> hosts,
                                               core::origin where, std::optional<proxy> through,
                                               std::shared_ptr<shared_tls_context> tls,
                                               std::shared_ptr<tls_session_shelf> sessions) {
  std::shared_ptr<asio::ssl::context> context;
  if (where.secure()) {
    context = co_await shared_tls_context::get(std::move(tls));
  }
  co_return co_await connect(std::move(hosts), std::move(where), std::move(through),
                             std::move(context), std::move(sessions));
}

}  // namespace

awaitable<leased_connection> connection_pool::acquire(core::origin where, bool fresh,
                                                      std::chrono::milliseconds connect_limit,
                                                      std::optional<std::uint64_t> ticket) {
  close_expired();
  auto& here = slot_of(where);  // slots are never removed
  const auto& through = route_of(here, where);
  leased_connection lease;
  if (through && !where.secure()) lease.forwarder_ = &*through;
  lease.ticket_ = ticket ? *ticket : next_ticket_++;
  std::unique_ptr<stream> kept;
  // While somebody waits for this origin, there is nothing for who comes now.
  if (here.line.empty() && may_claim(here)) {
    kept = claim(here, fresh);
  } else {
    kept = co_await wait_in_line(where, fresh, lease.ticket_);
    // Closed by the server since it was given: its place is for another.
    if (kept && !kept->is_quiet()) kept.reset();
  }
  lease.pool_ = shared_from_this();  // from here on, leaving makes room again
  lease.origin_ = where;
  if (kept) {
    lease.stream_ = std::move(kept);
    lease.reused_ = true;
    co_return lease;
  }
  if (where.secure() && !here.sessions) here.sessions = std::make_shared<tls_session_shelf>();
  std::string doing = "connecting to " + where.authority();
  if (through) doing += " through the proxy " + through->name();
  auto opening = open_stream(hosts_, where, through, tls_, here.sessions);
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
