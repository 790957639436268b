#include "transfer/content_fetch.hpp"

#include "cohub/error.hpp"

#include "http/retry_policy.hpp"
#include "io/on_pool.hpp"
#include "transfer/api_call.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace cohub::transfer {

namespace {

std::string doing(const content_fetch& self) { return "downloading " + self.what.name; }

http_context context_of(const http::response& answer) {
  http_context context;
  context.status = answer.status();
  context.url = answer.head().url.printable();
  return context;
}

/// Compares an answer's head with what was asked for; throws where it does not fit.
void check_head(const content_fetch& self, const http::response& answer, core::byte_range range,
                bool ranged) {
  const auto encoding = answer.header("Content-Encoding");
  if (!encoding.empty() && !http::equal_without_case(encoding, "identity"))
    throw error(errc::invalid_response,
                doing(self) + ": the content came compressed, which was not asked for",
                context_of(answer));
  if (self.source->changed(answer.header("ETag")))
    throw error(errc::content_mismatch, doing(self) + ": it changed meanwhile on the server",
                context_of(answer));
  auto expected = self.what.size;
  if (answer.status() == 206) {
    const auto given = core::parse_content_range(answer.header("Content-Range"));
    if (!ranged || !given || !given->range || *given->range != range ||
        (given->total && *given->total != self.what.size))
      throw error(errc::invalid_response,
                  doing(self) + ": the answer is not the range that was asked for, " +
                      core::range_header(range),
                  context_of(answer));
    expected = range.size();
  }
  if (const auto length = answer.content_length(); length && *length != expected)
    throw error(errc::content_mismatch,
                doing(self) + ": the server sends " + std::to_string(*length) +
                    " bytes where the Hub promised " + std::to_string(expected),
                context_of(answer));
}

struct written_block {
  std::size_t buffer = 0;
  std::size_t count = 0;
  std::uint64_t offset = 0;
};

awaitable<void> write_block(fetch_ptr self, block_buffer bytes, written_block block) {
  auto work = [partial = self->partial, digest = self->digest, bytes = std::move(bytes), block] {
    const std::span<const std::byte> content(bytes.get(), block.count);
    partial->write(block.offset, content);
    digest->feed(block.offset, content);
  };
  auto writing = io::on_pool(self->shared->pool, std::move(work));
  co_await std::move(writing);
}

/// Reads the next block while the last one is written.
awaitable<received_block> fill_and_write(fetch_ptr self, http::response& answer,
                                         std::span<std::byte> room, block_buffer last,
                                         written_block block) {
  const auto executor = co_await asio::this_coro::executor;
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, fill_block(answer, room), asio::deferred),
      asio::co_spawn(executor, write_block(self, std::move(last), block), asio::deferred));
  auto outcome =
      co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  auto& [order, reading, received, writing] = outcome;
  if (order[0] == 1 && writing) std::rethrow_exception(writing);
  if (reading) std::rethrow_exception(reading);
  if (writing) std::rethrow_exception(writing);
  co_return std::move(received);
}

}  // namespace

bool may_retry(const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return is_transient(e.code());
  } catch (...) {
    return false;
  }
}

awaitable<opened_content> open_content(fetch_ptr self, core::byte_range range, bool ranged) {
  opened_content opened;
  auto finding = content_source::next_route(self->source);
  auto route = co_await std::move(finding);
  http::request request;
  request.url = route.url;
  request.headers = route.headers;
  request.timeouts = self->shared->content_timeouts;
  request.retry = false;  // counted and waited for here, where progress is known
  if (ranged)
    request.headers.set("Range", core::range_header(range));
  else
    request.headers.erase("If-Range");
  try {
    opened.answer = co_await self->shared->transport->send(std::move(request));
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    opened.failure = std::current_exception();
    opened.may_retry = is_transient(e.code());
  }
  if (opened.failure) co_return opened;

  const auto head = opened.answer.head();
  const auto verdict = judge_status(head.status, self->source->is_foreign(head.url));
  if (verdict == status_verdict::success) {
    try {
      check_head(*self, opened.answer, range, ranged);
      opened.ignored_range = ranged && head.status == 200;
      if (!opened.ignored_range) route.confirm(head.url, head.headers.get("ETag"));
    } catch (const error&) {
      opened.failure = std::current_exception();
    }
    co_return opened;
  }
  opened.asked = http::requested_wait(head.status, head.headers);
  std::string asked_range;
  if (ranged) asked_range = core::range_header(range);
  auto reading = failure_of(std::move(opened.answer), doing(*self), std::move(asked_range));
  opened.failure = co_await std::move(reading);
  opened.may_retry = verdict != status_verdict::fatal;
  opened.relocated = verdict == status_verdict::relocate;
  if (opened.relocated) route.expire();
  co_return opened;
}

awaitable<received_block> fill_block(http::response& answer, std::span<std::byte> room) {
  received_block received;
  try {
    while (received.count < room.size()) {
      const auto count = co_await answer.read_some(room.subspan(received.count));
      if (count == 0)
        throw error(errc::truncated_body, "reading an answer of unknown length",
                    context_of(answer));
      received.count += count;
    }
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    received.failure = std::current_exception();
  }
  co_return received;
}

awaitable<block_pair> acquire_blocks(context_ptr shared) {
  block_pair memory;
  auto waiting = memory_budget::acquire(shared->buffers, 2 * block_size);
  memory.share = co_await std::move(waiting);
  for (auto& block : memory.blocks) block = std::make_shared_for_overwrite<std::byte[]>(block_size);
  co_return memory;
}

awaitable<std::exception_ptr> receive_content(fetch_ptr self, http::response& answer,
                                              core::byte_range& range, block_pair& memory) {
  std::exception_ptr failure;
  written_block last;  // read, and not yet written
  auto offset = range.begin;
  for (std::size_t next = 0;; next ^= 1) {
    received_block received;
    const bool reading = !failure && offset < range.end;
    if (reading) {
      const auto wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(block_size, range.end - offset));
      const std::span room(memory.blocks[next].get(), wanted);
      if (last.count == 0) {
        received = co_await fill_block(answer, room);
      } else {
        auto both = fill_and_write(self, answer, room, memory.blocks[last.buffer], last);
        received = co_await std::move(both);
      }
    } else if (last.count > 0) {
      auto writing = write_block(self, memory.blocks[last.buffer], last);
      co_await std::move(writing);
    } else {
      break;
    }
    if (last.count > 0) {
      range.begin += last.count;
      self->progress.add(last.count);
      self->written.notify();
    }
    failure = reading ? received.failure : failure;
    last.buffer = next;
    last.count = received.count;
    last.offset = offset;
    offset += received.count;
  }
  co_return failure;
}

awaitable<void> wait_to_retry(fetch_ptr self, retry_counter& counter,
                              const opened_content& opened) {
  if (!opened.may_retry) std::rethrow_exception(opened.failure);
  if (opened.relocated) {
    if (!counter.may_relocate()) std::rethrow_exception(opened.failure);
    report_event(self->settings.observer, transfer_event::kind::retry, self->what.name,
                 "the address of the content expired");
    co_return;
  }
  const auto delay = counter.next_delay(opened.asked, draw_jitter());
  if (!delay) std::rethrow_exception(opened.failure);
  std::string reason;
  try {
    std::rethrow_exception(opened.failure);
  } catch (const std::exception& e) {
    reason = e.what();
  }
  report_event(self->settings.observer, transfer_event::kind::retry, self->what.name, reason);
  asio::steady_timer timer(co_await asio::this_coro::executor, *delay);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace cohub::transfer
