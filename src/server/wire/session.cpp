#include "server/wire/session.hpp"

#include "core/byte_range.hpp"
#include "io/file.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/wire/cross_origin.hpp"
#include "server/wire/faulty_exchange.hpp"
#include "server/wire/reply_writer.hpp"
#include "server/wire/request_reader.hpp"

#include <optional>
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

/// Where the body begins in the file it is a part of.
std::uint64_t file_offset_of(const reply& answer) {
  if (answer.status != 206) return 0;
  const auto given = core::parse_content_range(answer.headers.get("Content-Range"));
  return given && given->range ? given->range->begin : 0;
}

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

/// A request, and what is made of it.
struct handled_request {
  std::optional<request_head> head{};  // none where it could not be read: the answer says why
  traffic::arrival arrival{};
  reply answer{};
  bool is_answered = true;  // false: the connection ends without a word
};

/// Reads a request's head; nothing when the client has closed.
awaitable<std::optional<handled_request>> read_request(std::shared_ptr<session_context> context,
                                                       request_reader& reader, std::string peer) {
  std::optional<handled_request> request(std::in_place);
  try {
    request->head = co_await reader.read_head();
    if (!request->head) request.reset();
  } catch (const failure& problem) {
    request->answer = error_reply(problem);
  }
  if (!request || !request->head) co_return request;
  auto& head = *request->head;
  head.peer = std::move(peer);
  request->arrival = context->traffic->note(head, context->content);
  if (head.method == "HEAD") head.headers.erase("Range");  // means something to GET alone
  co_return request;
}

/// Has the handler answer, who may take its time; the reader watches for silence while a body is
/// read. The references outlive the call.
awaitable<void> have_answered(std::shared_ptr<session_context> context, request_reader& reader,
                              handled_request& request) {
  const auto& fault = request.arrival.fault;
  if (fault && fault->drop_request_after_bytes) {
    cut_body cut(reader, *fault->drop_request_after_bytes);
    co_await answer_of(context, *request.head, cut);
    request.is_answered = false;
    co_return;
  }
  request.answer = co_await answer_of(context, *request.head, reader);
  if (!fault || !fault->lose_answer) co_return;
  context->traffic->answered(request.arrival.number, request.answer.status);
  request.is_answered = false;
}

/// Makes the answer to a request that could be read. The references outlive the call.
awaitable<void> answer_request(std::shared_ptr<session_context> context, http::stream& connection,
                               request_reader& reader, handled_request& request) {
  auto& head = *request.head;
  const auto& fault = request.arrival.fault;
  std::optional<reply> ordered;
  if (fault) {
    request.is_answered = co_await hold_back(*fault, connection);
    request.is_answered = request.is_answered && !context->stopping;
    if (!request.is_answered) co_return;
    if (fault->ignore_range) head.headers.erase("Range");
    ordered = answer_of_fault(*fault, head);
  }
  connection.set_silence_limit({});
  if (ordered)
    request.answer = std::move(*ordered);
  else if (is_preflight(head))
    request.answer = preflight_reply(head);
  else
    co_await have_answered(context, reader, request);
  admit_origin(head, request.answer);
}

/// What is done about a body that the handler did not read.
struct unread_body {
  bool is_drained = false;   // so that the client sees the answer before the connection closes
  bool keeps_alive = false;  // whether the connection may serve on
};

unread_body treat_unread(const request_reader& reader, const request_head& head) {
  unread_body rest;
  rest.keeps_alive = head.keep_alive;
  if (reader.at_end()) return rest;
  if (reader.continue_pending()) {  // it will not be sent
    rest.keeps_alive = false;
    return rest;
  }
  rest.is_drained = true;
  rest.keeps_alive = rest.keeps_alive && head.content_length.value_or(small_rest + 1) <= small_rest;
  return rest;
}

reply_framing frame(const session_context& context, const handled_request& request,
                    const unread_body& rest, session_status& status) {
  reply_framing framing;
  const auto& head = request.head;
  framing.head_only = head && head->method == "HEAD";
  framing.request_id = head ? request_id_for(*head) : "cohub-" + io::random_suffix();
  framing.fault = request.arrival.fault;
  framing.file_offset = file_offset_of(request.answer);
  framing.keep_alive = rest.keeps_alive && !context.stopping;
  framing.idle_limit = context.idle_limit;
  framing.piece = piece_for(context);
  framing.pace = &status.answer;
  return framing;
}

/// One request and its answer; false when the connection has done its service.
awaitable<bool> exchange(std::shared_ptr<session_context> context, http::stream& connection,
                         request_reader& reader, session_status& status) {
  connection.set_silence_limit(context->idle_limit);
  auto request = co_await read_request(context, reader, status.peer);
  if (!request) co_return false;
  status.busy = true;
  unread_body rest;
  if (request->head) {
    co_await answer_request(context, connection, reader, *request);
    if (!request->is_answered) co_return false;
    context->traffic->answered(request->arrival.number, request->answer.status);
    rest = treat_unread(reader, *request->head);
  }
  const auto fault = request->arrival.fault;
  auto framing = frame(*context, *request, rest, status);
  const bool keep_alive = framing.keep_alive;
  if (fault) alter_reply(*fault, request->answer);
  connection.set_silence_limit(context->idle_limit);
  const bool whole = co_await write_reply(connection, context->pool, std::move(request->answer),
                                          std::move(framing));
  if (!whole && fault && fault->stall_after_bytes) co_await stay_silent(connection);
  if (!whole) co_return false;
  if (rest.is_drained) {
    const bool drained = co_await reader.drain(large_rest);
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
