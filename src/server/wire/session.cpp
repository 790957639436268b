#include "server/wire/session.hpp"

#include "core/byte_range.hpp"
#include "io/file.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/wire/reply_writer.hpp"
#include "server/wire/request_reader.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace cohub::server {

namespace {

/// What a refused body may still hold for the connection to be kept.
constexpr std::uint64_t small_rest = 256 * 1024;
/// What is read of a refused body so that the client sees the answer before the connection closes:
/// closing with unread bytes would reset it.
constexpr std::uint64_t large_rest = 64u << 20;

/// Large writes are what loopback and fast networks need; where there are many connections, the
/// memory that each of them holds counts more.
std::size_t piece_for(const session_context& context) {
  constexpr std::size_t many = 32;
  return context.open > many ? 128 * 1024 : 512 * 1024;
}

/// The client's own trace id, else a fresh one (hub-protocol, section 1.4).
std::string request_id_for(const request_head& head) {
  for (const char* name : {"X-Request-Id", "X-Amzn-Trace-Id"}) {
    const auto value = head.headers.get(name);
    if (!value.empty() && value.size() <= 200) return std::string(value);
  }
  return "cohub-" + io::random_suffix() + io::random_suffix();
}

/// Whether the fault answers in the handler's place.
bool replaces_answer(const hub_fault& fault) {
  return fault.status != 0 || !fault.redirect_to.empty() || fault.redirect_to_itself;
}

reply fault_reply(const hub_fault& fault, const request_head& head) {
  std::string location = fault.redirect_to;
  if (fault.redirect_to_itself) location = head.target;
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

/// What a fault changes in an answer that is otherwise done.
void alter_reply(const hub_fault& fault, reply& answer) {
  if (!fault.body.empty()) answer.body = fault.body;
  for (const auto& [name, value] : fault.headers) answer.headers.set(name, value);
}

/// Pages of other origins may ask, but with a token of their own alone: nothing here goes by
/// cookies.
void admit_origin(const request_head& head, reply& answer) {
  if (!head.headers.has("Origin")) return;
  answer.headers.set("Access-Control-Allow-Origin", "*");
  answer.headers.set("Access-Control-Expose-Headers",
                     "X-Repo-Commit,X-Linked-Etag,ETag,X-Linked-Size,Content-Length,Location,"
                     "Link,X-Error-Code,X-Error-Message,X-Request-Id,X-Total-Count,Retry-After,"
                     "ratelimit,ratelimit-policy,Accept-Ranges,Content-Range,Content-Disposition");
}

/// Whether a browser asks what it may ask.
bool is_preflight(const request_head& head) {
  return head.method == "OPTIONS" && head.headers.has("Origin") &&
         head.headers.has("Access-Control-Request-Method");
}

reply preflight_reply(const request_head& head) {
  reply answer;
  answer.status = 204;
  answer.headers.set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE");
  if (const auto wanted = head.headers.get("Access-Control-Request-Headers"); !wanted.empty())
    answer.headers.set("Access-Control-Allow-Headers", std::string(wanted));
  answer.headers.set("Access-Control-Max-Age", "86400");
  return answer;
}

/// Where the body begins in the file it is a part of.
std::uint64_t file_offset_of(const reply& answer) {
  if (answer.status != 206) return 0;
  const auto given = core::parse_content_range(answer.headers.get("Content-Range"));
  return given && given->range ? given->range->begin : 0;
}

/// Holds a connection open without a word until the client goes or the Hub stops.
awaitable<void> stay_silent(http::stream& connection) {
  connection.set_silence_limit({});
  std::array<std::byte, 1024> scrap{};
  for (;;) {
    const std::size_t count = co_await connection.read_some(scrap);
    if (count == 0) co_return;
  }
}

/// A request's body as far as it is let through.
class broken_body final : public request_body {
 public:
  broken_body(request_body& whole, std::uint64_t limit) : whole_(whole), left_(limit) {}
  awaitable<std::size_t> read_some(std::span<std::byte> buffer) override {
    if (left_ == 0) throw std::runtime_error("the body is cut on order");
    const auto wanted = std::min<std::uint64_t>(left_, buffer.size());
    const std::size_t count =
        co_await whole_.read_some(buffer.first(static_cast<std::size_t>(wanted)));
    left_ -= count;
    co_return count;
  }

 private:
  request_body& whole_;
  std::uint64_t left_;
};

/// The answer of the handler, or the error that reading the request met.
awaitable<reply> answer_of(std::shared_ptr<session_context> context, request_head head,
                           request_body& body) {
  const bool is_head = head.method == "HEAD";
  reply answer;
  try {
    answer = co_await context->handler->answer(std::move(head), body);
  } catch (const failure& problem) {
    answer = error_reply(problem);
  }
  // The JavaScript client parses the body of an error that says it is JSON, and HEAD has none.
  if (is_head && answer.status >= 400)
    answer.headers.set("Content-Type", "text/plain; charset=utf-8");
  co_return answer;
}

/// One request and its answer; false when the connection has done its service.
awaitable<bool> exchange(std::shared_ptr<session_context> context, http::stream& connection,
                         request_reader& reader, session_status& status) {
  std::optional<request_head> head;
  reply answer;
  reply_framing framing;
  bool readable = true;
  connection.set_silence_limit(context->idle_limit);
  try {
    head = co_await reader.read_head();
    if (!head) co_return false;
  } catch (const failure& problem) {
    answer = error_reply(problem);
    readable = false;
  }
  status.busy = true;
  traffic::arrival arrival;
  if (readable) {
    head->peer = status.peer;
    framing.head_only = head->method == "HEAD";
    framing.request_id = request_id_for(*head);
    arrival = context->traffic->note(*head, context->content);
    if (framing.head_only) head->headers.erase("Range");  // means something to GET alone
    framing.fault = arrival.fault;
  } else {
    framing.request_id = "cohub-" + io::random_suffix();
  }

  if (framing.fault && framing.fault->delay.count() > 0) {
    asio::steady_timer timer(co_await asio::this_coro::executor, framing.fault->delay);
    connection.set_silence_limit({});
    co_await timer.async_wait(asio::use_awaitable);
    if (context->stopping) co_return false;
    connection.set_silence_limit(context->idle_limit);
  }
  if (framing.fault && framing.fault->stall) {
    co_await stay_silent(connection);
    co_return false;
  }
  if (framing.fault && framing.fault->ignore_range) head->headers.erase("Range");
  if (framing.fault && replaces_answer(*framing.fault)) {
    answer = fault_reply(*framing.fault, *head);
  } else if (readable && is_preflight(*head)) {
    answer = preflight_reply(*head);
  } else if (readable) {
    // The handler may take its time; the reader watches for silence while a body is read.
    connection.set_silence_limit({});
    if (framing.fault && framing.fault->drop_request_after_bytes) {
      broken_body cut(reader, *framing.fault->drop_request_after_bytes);
      co_await answer_of(context, *head, cut);
      co_return false;
    }
    answer = co_await answer_of(context, *head, reader);
    if (framing.fault && framing.fault->lose_answer) {
      context->traffic->answered(arrival.number, answer.status);
      co_return false;
    }
  }
  if (readable) admit_origin(*head, answer);
  framing.file_offset = file_offset_of(answer);
  if (framing.fault) alter_reply(*framing.fault, answer);

  bool drains = readable && !reader.at_end();
  std::uint64_t rest = large_rest;
  framing.keep_alive = readable && head->keep_alive && !context->stopping;
  if (drains && reader.continue_pending()) {
    drains = false;
    framing.keep_alive = false;
  } else if (drains && framing.keep_alive) {
    framing.keep_alive = head->content_length.value_or(small_rest + 1) <= small_rest;
  }
  framing.idle_limit = context->idle_limit;
  framing.piece = piece_for(*context);
  framing.pace = &status.answer;
  const bool keep_alive = framing.keep_alive;
  const bool stalls = framing.fault && framing.fault->stall_after_bytes;
  if (readable) context->traffic->answered(arrival.number, answer.status);
  connection.set_silence_limit(context->idle_limit);
  const bool whole =
      co_await write_reply(connection, context->pool, std::move(answer), std::move(framing));
  if (!whole && stalls) co_await stay_silent(connection);
  if (!whole) co_return false;
  if (drains) {
    const bool drained = co_await reader.drain(rest);
    if (!drained) co_return false;
  }
  co_return keep_alive;
}

}  // namespace

awaitable<void> serve(std::shared_ptr<session_context> context,
                      std::unique_ptr<http::stream> connection,
                      std::shared_ptr<session_status> status) {
  request_reader reader(*connection, context->idle_limit);
  status->requests = &reader;
  try {
    for (bool more = true; more && !context->stopping;) {
      status->busy = false;
      status->idle_since = std::chrono::steady_clock::now();
      more = co_await exchange(context, *connection, reader, *status);
    }
  } catch (const std::exception&) {
    // The client went away, fell silent, or a file could not be read: the connection's end tells
    // it.
  }
  connection->close();
  status->connection = nullptr;
  status->requests = nullptr;
}

}  // namespace cohub::server
