#include "http/transport.hpp"

#include "cohub/error.hpp"

#include "http/connection_pool.hpp"
#include "http/exchange.hpp"
#include "http/rate_limits.hpp"
#include "http/redirect_rules.hpp"
#include "http/retry_policy.hpp"
#include "http/tls_context.hpp"
#include "http/trace_id.hpp"
#include "io/with_timeout.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace cohub::http {

namespace {

constexpr int max_hops = 10;
/// What a longer limit is cut to, as `milliseconds::max()` for "none": the clocks count
/// nanoseconds, and could not hold it.
constexpr std::chrono::milliseconds longest_limit = std::chrono::hours(24 * 365);

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_busy(int status) { return status == 429 || status == 503; }

bool is_cancellation(const boost::system::system_error& e) {
  return e.code() == asio::error::operation_aborted;
}

pool_limits limits_of(const transport_config& config) {
  pool_limits limits;
  limits.each_origin = std::max<std::size_t>(config.max_connections, 1);
  limits.all_origins = config.max_total_connections;
  return limits;
}

}  // namespace

struct transport::state {
  explicit state(transport_config settings)
      : config(std::move(settings)),
        pool(std::make_shared<connection_pool>(
            limits_of(config),
            std::make_shared<shared_tls_context>(config.ca_file, config.blocking_executor),
            config.proxies)),
        limits(config.retries.max_retry_after, config.retries.budget) {}

  transport_config config;
  std::shared_ptr<connection_pool> pool;
  rate_limits limits;
  std::mt19937_64 random{std::random_device{}()};
};

namespace {

using state_ptr = std::shared_ptr<transport::state>;

bool has_limit(const request& what) { return what.limit && what.limit->count() > 0; }

/// An earlier request of the same kind was told to wait, and this one has not that much time.
[[noreturn]] void throw_paused(const request& what, std::chrono::nanoseconds wait) {
  http_context context;
  context.url = what.url.printable();
  context.retry_after = std::chrono::ceil<std::chrono::seconds>(wait);
  throw error(errc::rate_limited,
              std::string(to_string(what.verb)) + ": the server asked to wait before more requests",
              std::move(context));
}

/// An exchange within what is left of the request's own limit.
awaitable<exchange_outcome> exchange_in_time(leased_connection lease, request& what,
                                             exchange_settings settings) {
  const auto trace_id = settings.trace_id;
  auto running = exchange(std::move(lease), what, std::move(settings));
  if (!has_limit(what)) co_return co_await std::move(running);
  const auto end = std::chrono::steady_clock::now() + *what.limit;
  exchange_outcome outcome;
  std::exception_ptr failure;
  bool stopped = false;
  try {
    outcome = co_await io::with_timeout(std::move(running), *what.limit);
  } catch (const error& e) {
    failure = std::current_exception();
    stopped = e.code() == errc::timed_out;
  }
  // The limit is for all tries, those that fail among them.
  const auto left =
      std::chrono::floor<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  what.limit = std::max(left, std::chrono::milliseconds(1));  // none would be no limit
  if (left.count() <= 0) {
    what.retry = false;
    if (stopped) {
      http_context context;
      context.url = what.url.printable();
      context.request_id = trace_id;
      throw error(errc::timed_out, std::string(to_string(what.verb)) + ": waiting for an answer",
                  std::move(context));
    }
  }
  if (failure) std::rethrow_exception(failure);
  co_return outcome;
}

/// Waits as long as an earlier answer asked requests like this one to.
awaitable<void> wait_for_turn(state_ptr self, const request& what) {
  while (const auto until = self->limits.pause(what.url, rate_limits::clock::now())) {
    const auto wait = *until - rate_limits::clock::now();
    if (!what.retry && has_limit(what) && wait > *what.limit) throw_paused(what, wait);
    asio::steady_timer timer(co_await asio::this_coro::executor, *until);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

bool is_nonsense(const std::exception_ptr& no_answer) {
  try {
    std::rethrow_exception(no_answer);
  } catch (const error& e) {
    return e.code() == errc::invalid_response;
  }
}

/// A connection for a request whose turn it is: while it stood in line for one, another request may
/// have been asked to wait, and its sender may have got what it wants elsewhere.
awaitable<leased_connection> acquire_in_turn(state_ptr self, const request& what, bool fresh,
                                             std::chrono::milliseconds connect_limit,
                                             std::optional<std::uint64_t> ticket) {
  for (;;) {
    auto lease = co_await self->pool->acquire(what.url.origin, fresh, connect_limit, ticket);
    if (what.wanted && !what.wanted()) {
      lease.give_back();
      throw unwanted_request();
    }
    if (!self->limits.pause(what.url, rate_limits::clock::now())) co_return lease;
    ticket = lease.ticket();
    lease.give_back();
    co_await wait_for_turn(self, what);
  }
}

time_limits within_reason(time_limits limits) {
  for (auto* const limit : {&limits.connect, &limits.first_byte, &limits.stall})
    *limit = std::min(*limit, longest_limit);
  return limits;
}

/// One try of one hop; `trace_id` becomes that of the last request sent. Here and below references
/// are lent: the caller awaits in the scope that owns them.
awaitable<exchange_outcome> attempt(state_ptr self, request& what, std::string& trace_id) {
  exchange_settings settings;
  settings.user_agent = self->config.user_agent;
  settings.trace_id = trace_id = choose_trace_id(what.headers, what.home_headers, self->random);
  settings.limits = within_reason(what.timeouts.value_or(self->config.timeouts));
  auto& limits = settings.limits;
  if (has_limit(what))
    limits.connect =
        limits.connect.count() > 0 ? std::min(limits.connect, *what.limit) : *what.limit;
  settings.on_head = [&self, &what](const response_head& head) {
    self->limits.answered(what.url, head.status, head.headers,
                          requested_wait(head.status, head.headers), rate_limits::clock::now());
  };
  auto acquiring = acquire_in_turn(self, what, !what.idempotent, limits.connect, {});
  auto lease = co_await std::move(acquiring);
  const bool reused = lease.reused();
  const auto ticket = lease.ticket();
  auto outcome = co_await exchange_in_time(std::move(lease), what, settings);
  if (outcome.no_answer && reused && what.idempotent) {
    // The server closed the idle connection in the moment it was used again: not a failed try.
    settings.trace_id = trace_id = choose_trace_id(what.headers, what.home_headers, self->random);
    auto fresh = co_await acquire_in_turn(self, what, true, limits.connect, ticket);
    outcome = co_await exchange_in_time(std::move(fresh), what, settings);
  }
  co_return outcome;
}

void report(const transport::state& self, const request& what, const exchange_outcome& outcome,
            std::exception_ptr failure, std::chrono::steady_clock::time_point begin,
            std::string_view trace_id) {
  if (!self.config.on_request) return;
  const auto* answer = failure ? nullptr : &outcome.answer.head();
  self.config.on_request(
      {what, answer, std::move(failure), std::chrono::steady_clock::now() - begin, trace_id});
}

awaitable<response> send_with_retries(state_ptr self, request& what) {
  std::uint64_t served = self->limits.served(what.url.origin);  // at the last failure
  std::size_t crowded = 0;
  for (std::size_t tries = 1;; ++tries) {
    co_await wait_for_turn(self, what);
    std::exception_ptr failure;
    std::optional<std::chrono::milliseconds> asked;
    bool again = false;
    exchange_outcome outcome;
    std::string trace_id;
    const auto begin = std::chrono::steady_clock::now();
    try {
      outcome = co_await attempt(self, what, trace_id);
      failure = outcome.no_answer;
      // A server that does not speak HTTP will not learn it; a mishap deserves two more tries.
      again = failure && what.idempotent && (!is_nonsense(failure) || tries < 3);
    } catch (const boost::system::system_error& e) {
      if (is_cancellation(e)) throw;
      failure = std::current_exception();
      const bool by_proxy = is_transient_proxy_failure(e);
      const bool refused = by_proxy || e.code() == asio::error::connection_refused;
      // Nobody listening rarely changes within seconds; a restarting server deserves two more
      // tries.
      again = (by_proxy || is_transient_failure(e.code())) && (what.idempotent || refused) &&
              (!refused || tries < 3);
    }
    report(*self, what, outcome, failure, begin, trace_id);
    if (!failure) {
      const int status = outcome.answer.status();
      const auto& headers = outcome.answer.head().headers;
      asked = requested_wait(status, headers);
      // 429 says that nothing was done, and so does 503 mostly; other failures may have come after
      // the deed.
      again = is_transient_status(status) &&
              (what.idempotent || status == 429 || (status == 503 && asked && what.busy_is_undone));
    }
    // A server that has no room for this request while it does others is asked more often.
    const auto served_by_now = self->limits.served(what.url.origin);
    const bool spared = served_by_now != served && !failure && is_busy(outcome.answer.status()) &&
                        crowded < crowded_patience * self->config.retries.attempts;
    served = served_by_now;
    std::optional<std::chrono::milliseconds> delay;
    if (again && what.retry) delay = next_delay(self->config.retries, tries, asked, draw_jitter());
    if (!delay || !self->limits.may_retry(what.url.origin)) {
      if (failure) std::rethrow_exception(failure);
      co_return std::move(outcome.answer);
    }
    if (!failure) co_await outcome.answer.finish();
    asio::steady_timer timer(co_await asio::this_coro::executor, *delay);
    co_await timer.async_wait(asio::use_awaitable);
    if (spared) {
      ++crowded;
      --tries;  // it does not count
    }
  }
}

/// What the redirect `answer` leads to; nothing if it is for the caller.
std::optional<core::url> next_hop(const request& what, const response& answer) {
  if (what.redirects == redirects::none || !is_redirect(answer.status())) return {};
  const auto location = answer.header("Location");
  if (location.empty()) return {};
  const auto target = core::redirect_target(answer.head().url, location);
  if (!target)
    throw refused_redirect(errc::invalid_response, "following a redirect that must not be followed",
                           context_of(answer.head()));
  if (what.redirects == redirects::same_origin &&
      !keeps_credentials(what.url.origin, target->origin))
    return {};
  return *target;
}

void take_hop(request& what, int status, core::url target) {
  if (!keeps_credentials(what.url.origin, target.origin)) {
    what.headers.erase("Authorization");
    what.headers.erase("Cookie");
    what.home_headers = {};
  }
  // Where a PUT or DELETE is sent on, a GET that succeeds there would pass for its success.
  const bool to_get =
      status == 303 || ((status == 301 || status == 302) && what.verb == method::post);
  if (to_get && what.verb != method::head && what.verb != method::get) {
    what.verb = method::get;
    what.body.reset();
    what.headers.erase("Content-Type");
  }
  what.url = std::move(target);
}

awaitable<response> send_following(state_ptr self, request what) {
  fields earlier;
  for (int hops = 0;; ++hops) {
    auto answer = co_await send_with_retries(self, what);
    auto target = next_hop(what, answer);
    if (!target) {
      answer.set_redirect_headers(std::move(earlier));
      co_return answer;
    }
    if (hops == max_hops) {
      http_context context;
      context.url = what.url.printable();
      throw error(errc::too_many_redirects, std::string(to_string(what.verb)), context);
    }
    for (const auto& [name, value] : answer.head().headers) earlier.add(name, value);
    const int status = answer.status();
    co_await answer.finish();
    take_hop(what, status, std::move(*target));
  }
}

}  // namespace

transport::transport(asio::any_io_executor executor, transport_config config) {
  if (!config.blocking_executor) config.blocking_executor = std::move(executor);
  state_ = std::make_shared<state>(std::move(config));
}

transport::~transport() {
  if (state_) state_->pool->clear();
}

awaitable<response> transport::send(request what) {
  if (what.limit) what.limit = std::min(*what.limit, longest_limit);
  return send_following(state_, std::move(what));
}

bool transport::may_retry(const core::origin& where) { return state_->limits.may_retry(where); }

std::size_t transport::open_connections() const noexcept {
  return state_->pool->open_connections();
}

void transport::close_idle_connections() noexcept { state_->pool->clear(); }

}  // namespace cohub::http
