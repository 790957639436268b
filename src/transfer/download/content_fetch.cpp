#include "transfer/download/content_fetch.hpp"

#include "cohub/error.hpp"

#include "http/retry_policy.hpp"
#include "io/on_pool.hpp"
#include "transfer/api_call.hpp"
#include "transfer/report_event.hpp"
#include "transfer/retry_wait.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cohub::transfer {

namespace {

/// Whether what broke an answer may not break the next one.
bool is_mishap(const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return is_transient(e.code()) || http::is_transient_proxy_failure(e);
  } catch (...) {
    return false;
  }
}

std::string doing(const content_session& self) { return "downloading " + self.what.name; }

/// Whether a part may stand for the range that was asked for: what comes of it before it ends is
/// worth a request.
bool fits(core::byte_range part, core::byte_range asked) noexcept {
  return part == asked || (part.begin == asked.begin && part.end < asked.end &&
                           part.size() >= retry_counter::worthwhile);
}

/// Compares an answer's head with what was asked for; yields what the answer brings, throws where
/// it does not fit.
core::byte_range check_head(const content_session& self, const http::response& answer,
                            core::byte_range asked, bool ranged) {
  if (http::is_encoded(answer.head().headers))
    throw unfit_answer(errc::invalid_response,
                       doing(self) + ": the content came compressed, which was not asked for",
                       context_of(answer.head()));
  core::byte_range brought{0, self.what.size};
  if (answer.status() == 206) {
    const auto given = core::parse_content_range(answer.header("Content-Range"));
    if (!ranged || !given || !given->range || !fits(*given->range, asked) ||
        (given->total && *given->total != self.what.size))
      throw unfit_answer(errc::invalid_response,
                         doing(self) + ": the answer is not the range that was asked for, " +
                             core::range_header(asked),
                         context_of(answer.head()));
    brought = *given->range;
  }
  if (const auto length = answer.content_length(); length && *length != brought.size())
    throw unfit_answer(errc::content_mismatch,
                       doing(self) + ": the server sends " + std::to_string(*length) +
                           " bytes where the Hub promised " + std::to_string(brought.size()),
                       context_of(answer.head()));
  // Last: the validator of something else altogether does not mean that the content changed.
  if (self.source->changed(answer.header("ETag")))
    throw error(errc::content_mismatch, doing(self) + ": it changed meanwhile on the server",
                context_of(answer.head()));
  return brought;
}

/// Bytes that one job of the pool moves before others get their turn.
constexpr std::uint64_t job_size = 1u << 20;

/// Fills `room` from the answer as far as bytes have come.
std::size_t fill_room(const content_session& self, http::response& answer,
                      std::span<std::byte> room, received_part& part) {
  std::size_t filled = 0;
  try {
    while (filled < room.size() && !part.waits) {
      const auto count = answer.try_read_some(room.subspan(filled));
      if (count == 0u)
        throw error(errc::truncated_body, "reading an answer of unknown length",
                    context_of(answer.head()));
      part.waits = !count;
      filled += count.value_or(0);
    }
  } catch (const error& e) {
    part.failure = std::make_exception_ptr(while_doing(doing(self), e));
  }
  return filled;
}

/// Moves bytes from the socket to the disk; those at the front of the checksum go into it while
/// they are in the processor's cache, the others are read back once the front is there.
received_part move_bytes(content_fetch& self, http::response& answer, core::byte_range range) {
  received_part part;
  const auto block = self.shared->blocks->take();
  const auto end = std::min(range.end, range.begin + job_size);
  while (range.begin < end && !part.waits && !part.failure) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(block.bytes().size(), end - range.begin));
    const auto filled = fill_room(self, answer, block.bytes().first(wanted), part);
    if (filled == 0) break;
    const std::span<const std::byte> content = block.bytes().first(filled);
    if (self.partial->write(range.begin, content)) self.digest->feed(range.begin, content);
    range.begin += filled;
    part.count += filled;
  }
  return part;
}

void report_expired(const content_session& self) {
  report_event(self.observer, transfer_event::kind::retry, self.what.name,
               "the address of the content expired");
}

/// One request for a range.
awaitable<opened_content> open_by(session_ptr self, content_source::route route,
                                  core::byte_range range, bool ranged,
                                  std::function<bool()> wanted) {
  opened_content opened;
  http::request request;
  request.url = route.url;
  opened.origin = route.url.origin;
  request.headers = route.headers;
  request.home_headers = route.credentials;  // the Hub may redirect to another host
  request.timeouts = self->shared->content_timeouts;
  request.wanted = std::move(wanted);
  request.retry = false;  // counted and waited for here, where progress is known
  if (ranged)
    request.headers.set("Range", core::range_header(range));
  else
    request.headers.erase("If-Range");
  try {
    opened.answer = co_await send(self->shared, std::move(request), doing(*self));
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    opened.fail(std::current_exception());
    // A head that was cut is an end, too.
    opened.turned_away = http::is_closed_by_peer(e.code()) || e.code() == errc::truncated_body;
    // A head that makes no sense may be a mishap, as a cut one is.
    const bool refused = dynamic_cast<const http::refused_redirect*>(&e) != nullptr;
    if (e.code() == errc::invalid_response && !refused) opened.may_retry = true;
  }
  if (opened.failure) co_return opened;

  const auto& head = opened.answer.head();
  opened.origin = head.url.origin;
  const auto verdict = judge_status(
      head.status, self->source->is_foreign(head.url) || self->source->is_remembered(route.url));
  if (verdict == status_verdict::success) {
    try {
      opened.range = check_head(*self, opened.answer, range, ranged);
      opened.ignored_range = ranged && head.status == 200;
      self->shared->turns->answered();
      if (!opened.ignored_range) route.confirm(head.url, head.headers.get("ETag"));
    } catch (const unfit_answer&) {
      opened.failure = std::current_exception();
      opened.may_retry = true;
    } catch (const error&) {
      opened.failure = std::current_exception();
    }
    co_return opened;
  }
  opened.rate_limited = head.status == 429;
  opened.overloaded = opened.rate_limited || head.status == 503;
  opened.asked = http::requested_wait(head.status, head.headers);
  std::string asked_range;
  if (ranged) asked_range = core::range_header(range);
  opened.failure =
      co_await failure_of(std::move(opened.answer), doing(*self), std::move(asked_range));
  opened.may_retry = verdict != status_verdict::fatal;
  opened.refused_range = ranged && (head.status == 416 || head.status == 501);
  opened.relocated = verdict == status_verdict::relocate;
  if (opened.relocated) route.expire();
  co_return opened;
}

}  // namespace

void opened_content::fail(std::exception_ptr why) noexcept {
  may_retry = is_mishap(why);
  failure = std::move(why);
}

awaitable<opened_content> open_content(session_ptr self, core::byte_range range, bool ranged,
                                       std::function<bool()> wanted) {
  // An address that was remembered may have expired, and so may the one that another request found
  // since: whoever met that asks the Hub for one of its own.
  for (int expired = 0;; ++expired) {
    content_source::route route;
    if (expired < 2) {
      route = co_await content_source::next_route(self->source);
    } else {
      route = content_source::route_by_hub(self->source);
    }
    const bool remembered = self->source->is_remembered(route.url);
    auto opened = co_await open_by(self, std::move(route), range, ranged, wanted);
    if (!opened.relocated || !remembered) co_return opened;
    report_expired(*self);
  }
}

awaitable<received_block> fill_block(session_ptr self, http::response& answer,
                                     std::span<std::byte> room) {
  received_block received;
  try {
    while (received.count < room.size()) {
      const auto count = co_await answer.read_some(room.subspan(received.count));
      if (count == 0)
        throw error(errc::truncated_body, "reading an answer of unknown length",
                    context_of(answer.head()));
      received.count += count;
    }
  } catch (const error& e) {
    received.failure = std::make_exception_ptr(while_doing(doing(*self), e));
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    received.failure = std::current_exception();
  }
  co_return received;
}

awaitable<std::exception_ptr> check_end(fetch_ptr self, http::response& answer) {
  std::exception_ptr failure;
  if (answer.content_length()) co_return failure;
  std::array<std::byte, 1> more{};
  std::size_t count = 0;
  try {
    count = co_await answer.read_some(more);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;  // else: all that was promised has come
  }
  if (count > 0 && !self->digest->active())
    failure = std::make_exception_ptr(
        error(errc::content_mismatch,
              doing(*self) + ": the server sends more bytes than the Hub promised",
              context_of(answer.head())));
  co_return failure;
}

awaitable<received_part> receive_part(fetch_ptr self, http::response& answer,
                                      core::byte_range range) {
  auto work = [self, &answer, range] { return move_bytes(*self, answer, range); };
  auto part = co_await io::on_pool(self->shared->pool, std::move(work));
  answer.settle();
  if (part.count > 0) self->shared->turns->moved();
  if (part.waits && !part.failure) {
    try {
      co_await answer.wait_readable();
    } catch (const error& e) {
      part.failure = std::make_exception_ptr(while_doing(doing(*self), e));
    }
  }
  co_return part;
}

awaitable<void> wait_to_retry(session_ptr self, retry_counter& counter,
                              const opened_content& opened, content_turns::turn turn) {
  if (!opened.may_retry) std::rethrow_exception(opened.failure);
  if (opened.relocated) {
    if (!counter.may_relocate()) std::rethrow_exception(opened.failure);
    report_expired(*self);
    co_return;
  }
  std::string reason;
  bool stalled = false;
  try {
    std::rethrow_exception(opened.failure);
  } catch (const boost::system::system_error& e) {
    reason = e.what();
    stalled = e.code() == errc::timed_out;
  }
  const auto& turns = self->shared->turns;
  const bool others_went_on = counter.others_went_on(turns->activity());
  if (opened.overloaded || (opened.turned_away && others_went_on)) turns->refused(turn);
  turn = {};
  const bool crowded = others_went_on && (opened.overloaded || opened.turned_away);
  const bool fruitless = !crowded && !counter.brought_enough(stalled);
  const auto jitter = http::draw_jitter();
  const auto delay = crowded ? counter.next_delay_beside_others(opened.asked, jitter)
                             : counter.next_delay(opened.asked, jitter, stalled);
  if (!delay) std::rethrow_exception(opened.failure);
  if (fruitless && !self->shared->transport->may_retry(opened.origin))
    std::rethrow_exception(opened.failure);
  report_event(self->observer, transfer_event::kind::retry, self->what.name, reason);
  co_await wait_for(*delay);
}

}  // namespace cohub::transfer
