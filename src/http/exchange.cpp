#include "http/exchange.hpp"

#include "cohub/error.hpp"

#include "http/answer_bytes.hpp"
#include "http/early_answer.hpp"
#include "http/proxy_tunnel.hpp"
#include "http/request_head.hpp"
#include "http/retry_policy.hpp"
#include "http/trace_id.hpp"
#include "http/wire_body.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

namespace cohub::http {

namespace {

namespace beast = boost::beast;

constexpr std::size_t most_informational = 8;  // before the real answer
constexpr std::size_t body_piece = 256 * 1024;

http_context context_of(const request& what, const std::string& id) {
  http_context context;
  context.url = what.url.printable();
  context.request_id = id;
  return context;
}

std::string doing(const request& what) { return std::string(to_string(what.verb)); }

/// Takes what has come while the body is being sent. True: the server has answered, or ended the
/// connection, and wants no more of it.
bool is_answered(stream& connection, beast::flat_buffer& ahead) {
  while (const auto came = connection.try_read_some(room_in(ahead))) {
    ahead.commit(*came);
    if (*came == 0 || !is_informational(text_of(ahead)) || ahead.size() > head_limit) return true;
  }
  return false;
}

/// Yields whether all of it was sent: an answer that comes meanwhile, into `ahead`, ends it.
awaitable<bool> write_request(stream& connection, const request& what, std::string head,
                              beast::flat_buffer& ahead) {
  std::uint64_t left = what.body ? what.body->size() : 0;
  if (left == 0) {
    co_await connection.write(std::as_bytes(std::span(head)));
    co_return true;
  }
  // The head travels with the first piece of the body: one segment for a small request.
  std::vector<std::byte> buffer(
      head.size() + static_cast<std::size_t>(std::min<std::uint64_t>(left, body_piece)));
  std::memcpy(buffer.data(), head.data(), head.size());
  std::size_t filled = head.size();
  co_await what.body->rewind();
  while (left > 0) {
    const auto room =
        static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size() - filled));
    const std::size_t count = co_await what.body->read(std::span(buffer).subspan(filled, room));
    if (count == 0)
      throw error(errc::content_mismatch, "sending a body that became shorter meanwhile");
    left -= count;
    co_await connection.write(std::span<const std::byte>(buffer).first(filled + count));
    filled = 0;
    if (left > 0 && is_answered(connection, ahead)) co_return false;
  }
  co_return true;
}

/// Failures of the connection itself, after which another may do better.
bool is_broken_connection(boost::system::error_code code) {
  return is_closed_by_peer(code) || is_tls_failure(code);
}

response_head head_of(const answer_parser& reader, const request& what) {
  response_head head;
  const auto& message = reader.get();
  head.status = static_cast<int>(message.result_int());
  head.url = what.url;
  for (const auto& field : message)
    head.headers.add(std::string(field.name_string()), std::string(field.value()));
  return head;
}

/// When a head must be there; zero: whenever it comes.
class head_deadline {
 public:
  explicit head_deadline(std::chrono::milliseconds limit) : limit_(limit) {}

  /// Lets the next wait for `connection` end in time. A watch over its silence would start anew
  /// with each byte.
  void bound(stream& connection) const {
    if (limit_.count() <= 0) return connection.set_silence_limit(limit_);
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(limit_ - (clock::now() - begin_));
    if (left.count() <= 0) throw boost::system::system_error(asio::error::timed_out);
    connection.set_silence_limit(left);
  }

 private:
  using clock = std::chrono::steady_clock;
  std::chrono::milliseconds limit_;
  clock::time_point begin_ = clock::now();
};

/// Reads until the parser has a whole head; false if the connection ended before its first byte.
/// What it works on is lent by the caller, who awaits this in the same scope.
awaitable<bool> read_head(stream& connection, answer_parser& reader, beast::flat_buffer& ahead,
                          head_deadline deadline, bool nothing_yet) {
  nothing_yet = nothing_yet && ahead.size() == 0;
  // The parser's own limit holds for what one call of it sees: fields that come in pieces would add
  // up to any size.
  std::size_t parsed = 0;
  while (!reader.is_header_done()) {
    boost::system::error_code failure;
    if (ahead.size() > 0) {
      const std::size_t used = reader.put(ahead.data(), failure);
      ahead.consume(used);
      parsed += used;
      if (parsed > head_limit) throw boost::system::system_error(beast::http::error::header_limit);
      if (reader.is_header_done()) break;
      if (failure && failure != beast::http::error::need_more)
        throw boost::system::system_error(failure);
      if (parsed + ahead.size() > head_limit)
        throw boost::system::system_error(beast::http::error::header_limit);
    }
    const auto room = room_in(ahead);
    auto came = connection.try_read_some(room);
    while (!came) {
      deadline.bound(connection);
      co_await connection.wait_readable();
      came = connection.try_read_some(room);
    }
    const std::size_t received = *came;
    if (received == 0) {
      if (nothing_yet) co_return false;
      throw boost::system::system_error(beast::http::error::partial_message);
    }
    nothing_yet = false;
    ahead.commit(received);
  }
  co_return true;
}

std::unique_ptr<answer_parser> make_parser(bool head_only) {
  auto reader = std::make_unique<answer_parser>();
  reader->header_limit(head_limit);
  reader->body_limit(boost::none);
  reader->eager(false);
  reader->skip(head_only);
  return reader;
}

/// Whether the proxy that forwards requests asks for a credential. Tinyproxy asks by 407 but calls
/// a wrong one 401, which from a Hub would be about the token.
bool is_proxys_refusal(const answer_parser::value_type& answer) {
  return answer.result_int() == 407 ||
         (answer.result_int() == 401 &&
          answer[beast::http::field::server].starts_with("tinyproxy"));
}

/// Whether the body is what was asked for, in the one coding that any client takes. Another would
/// be handed on as content.
bool is_plainly_coded(const answer_parser::value_type& answer) {
  const auto [first, last] = answer.equal_range(beast::http::field::transfer_encoding);
  return std::all_of(first, last, [](const auto& field) {
    return beast::iequals(field.value(), "chunked") || beast::iequals(field.value(), "identity");
  });
}

bool is_http_error(boost::system::error_code code) {
  return code.category() == beast::http::make_error_code(beast::http::error::bad_method).category();
}

/// One request and its answer. Its coroutines are awaited in the scope that owns it.
class running_exchange {
 public:
  running_exchange(leased_connection lease, const request& what, exchange_settings settings)
      : lease_(std::move(lease)),
        what_(what),
        settings_(std::move(settings)),
        context_(context_of(what, settings_.trace_id)) {}

  /// Sends the request, or as much of it as the server wants.
  awaitable<void> send() {
    auto head = serialize_head(what_, settings_, lease_.forwarded_by());
    lease_->set_silence_limit(settings_.limits.stall);
    boost::system::error_code failure;
    try {
      sent_ = co_await write_request(*lease_, what_, std::move(head), ahead_);
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted || dynamic_cast<const error*>(&e) != nullptr)
        throw;
      failure = e.code();
    }
    // The server may have answered before it closed, or before it ceased to read.
    if (failure == asio::error::timed_out && lease_->is_quiet())
      throw error(errc::timed_out, doing(what_) + ": sending the request", context_);
    if (failure && failure != asio::error::timed_out && !is_broken_connection(failure))
      throw error(failure, doing(what_) + ": sending the request", context_);
  }

  /// Reads the head of the answer. Yields why there is none; null: it is there.
  awaitable<std::exception_ptr> await_head() {
    boost::system::error_code failure;
    bool answered = false;
    try {
      answered = co_await read_heads();
    } catch (const error&) {
      throw;
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) throw;
      failure = e.code();
    }
    if (failure == asio::error::timed_out)
      throw error(errc::timed_out, doing(what_) + ": waiting for an answer", context_);
    std::exception_ptr none;
    if (!answered || failure) none = no_answer(failure);
    co_return none;
  }

  /// Why the head is of no answer to this request; null: it is.
  /// @throws error  it is of an answer that nobody may take for one
  std::exception_ptr check() const {
    const auto& head = reader_->get();
    // A success of something that did not arrive is none.
    if (what_.body && !sent_ && head.result_int() / 100 == 2)
      return std::make_exception_ptr(error(
          errc::truncated_body, doing(what_) + ": answered before all of it was sent", context_));
    if (!is_plainly_coded(head))
      throw error(errc::invalid_response,
                  doing(what_) + ": its body comes in a transfer coding that was not asked for",
                  context_);
    const proxy* const through = lease_.forwarded_by();
    if (through != nullptr && is_proxys_refusal(head))
      fail_proxy(*through, what_.url.origin, static_cast<int>(head.result_int()));
    return nullptr;
  }

  /// The answer, which takes the connection along. The last thing to ask for.
  response answer() {
    lease_->set_silence_limit(settings_.limits.stall);
    auto head = head_of(*reader_, what_);
    if (settings_.on_head) settings_.on_head(head);
    if (auto id = answered_id(head.headers); !id.empty()) context_.request_id = std::move(id);
    std::optional<std::uint64_t> length;
    if (const auto announced = reader_->content_length(); announced && !reader_->chunked())
      length = *announced;
    std::unique_ptr<response::body> body;
    const bool empty =
        what_.verb == method::head || head.status == 204 || head.status == 304 || length == 0u;
    if (!empty) {
      body = make_wire_body(std::move(lease_), std::move(reader_), std::move(ahead_),
                            std::move(context_), settings_.limits.stall, sent_);
    } else if (sent_ && reader_->keep_alive() && ahead_.size() == 0) {
      lease_.give_back();
    }
    return {std::move(head), length, std::move(body)};
  }

 private:
  /// Up to that of the real answer; false if the connection ended before its first byte.
  awaitable<bool> read_heads() {
    const head_deadline deadline(settings_.limits.first_byte);
    for (std::size_t informational = 0;; ++informational) {
      reader_ = make_parser(what_.verb == method::head);
      const bool answered =
          co_await read_head(*lease_, *reader_, ahead_, deadline, informational == 0);
      if (!answered || reader_->get().result_int() / 100 != 1) co_return answered;
      if (reader_->get().result() == beast::http::status::switching_protocols)
        throw error(errc::invalid_response,
                    doing(what_) + ": the server changes the protocol, unasked", context_);
      if (informational == most_informational)
        throw error(errc::invalid_response,
                    doing(what_) + ": one informational answer follows another", context_);
    }
  }

  std::exception_ptr no_answer(boost::system::error_code failure) const {
    // Not what was asked for, but perhaps what came late of an earlier answer.
    if (is_http_error(failure) && failure != beast::http::error::partial_message)
      return std::make_exception_ptr(
          error(errc::invalid_response, doing(what_) + " (" + failure.message() + ")", context_));
    boost::system::error_code code = errc::truncated_body;
    if (failure && !is_http_error(failure) && !is_broken_connection(failure)) code = failure;
    std::string waiting = doing(what_) + ": the connection ended before an answer";
    if (is_tls_failure(failure)) waiting += " (" + failure.message() + ")";
    return std::make_exception_ptr(error(code, waiting, context_));
  }

  leased_connection lease_;
  const request& what_;
  exchange_settings settings_;
  http_context context_;
  beast::flat_buffer ahead_{};
  std::unique_ptr<answer_parser> reader_{};
  bool sent_ = false;  // all of the request
};

}  // namespace

awaitable<exchange_outcome> exchange(leased_connection lease, const request& what,
                                     exchange_settings settings) {
  running_exchange running(std::move(lease), what, std::move(settings));
  exchange_outcome outcome;
  co_await running.send();
  outcome.no_answer = co_await running.await_head();
  if (!outcome.no_answer) outcome.no_answer = running.check();
  if (!outcome.no_answer) outcome.answer = running.answer();
  co_return outcome;
}

}  // namespace cohub::http
