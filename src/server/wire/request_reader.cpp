#include "server/wire/request_reader.hpp"

#include "core/ascii.hpp"
#include "http/last_chunk.hpp"
#include "server/failure.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>
#include <string_view>
#include <vector>

namespace cohub::server {

namespace {

namespace beast = boost::beast;
using parser = beast::http::request_parser<beast::http::buffer_body>;

constexpr std::size_t head_limit = 64 * 1024;
constexpr std::size_t read_piece = 16 * 1024;
/// For a whole head: silence alone would let a client send a byte now and then for ever.
constexpr std::chrono::seconds head_time{30};

/// A proxy may send a whole url, whose host counts more than the header.
void take_origin_form(request_head& head) {
  const auto scheme_end = head.target.find("://");
  const auto scheme = std::string_view(head.target).substr(0, scheme_end);
  if (!core::equal_without_case(scheme, "http") && !core::equal_without_case(scheme, "https"))
    return;
  if (scheme_end == head.target.npos) return;
  const auto host = scheme_end + 3;
  const auto path = std::min(head.target.find_first_of("/?", host), head.target.size());
  head.headers.set("Host", head.target.substr(host, path - host));
  head.target.erase(0, path);
  if (!head.target.starts_with('/')) head.target.insert(0, "/");
}

/// Without exactly one it is not known what the request is for.
void check_host(const parser& reader) {
  const auto [first, last] = reader.get().equal_range(beast::http::field::host);
  const auto count = std::distance(first, last);
  if (count > 1 || (count == 0 && reader.get().version() >= 11))
    throw failure(400, {}, "A request has one Host header");
}

request_head to_head(const parser& reader) {
  const auto& message = reader.get();
  request_head head;
  head.method = std::string(message.method_string());
  head.target = std::string(message.target());
  for (const auto& field : message)
    head.headers.add(std::string(field.name_string()), std::string(field.value()));
  take_origin_form(head);
  head.keep_alive = message.keep_alive();
  head.expects_continue = message.version() >= 11 &&
                          core::equal_without_case(head.headers.get("Expect"), "100-continue");
  if (!reader.chunked())
    if (const auto length = reader.content_length()) head.content_length = *length;
  head.has_body = reader.chunked() || head.content_length.value_or(0) > 0;
  return head;
}

/// A body ends where its length or its chunks say; a coding that is not understood leaves open
/// where, and with it what the next request is.
void check_coding(const parser& reader) {
  const auto [first, last] = reader.get().equal_range(beast::http::field::transfer_encoding);
  if (first == last) return;
  const bool once = std::next(first) == last;
  if (!once || !reader.chunked() || !core::equal_without_case(first->value(), "chunked"))
    throw failure(501, {}, "Unsupported transfer coding");
}

}  // namespace

struct request_reader::state {
  state(http::stream& stream, std::chrono::milliseconds limit)
      : connection(stream), silence(limit) {}

  http::stream& connection;
  std::chrono::milliseconds silence;
  beast::flat_buffer ahead{2 * head_limit};
  std::unique_ptr<parser> reader{};
  std::optional<std::uint64_t> left{};  // of a body with Content-Length
  bool ended = true;
  bool wants_continue = false;
  bool gone = false;  // the client sends no more
  // Of a body, since its pace was looked at last:
  std::chrono::steady_clock::duration waited{};
  std::size_t came = 0;
  std::optional<std::chrono::steady_clock::time_point> waiting_since{};

  /// Looks at the pace of a body from time to time, before more of it is waited for; what the
  /// handler takes in between does not count.
  void check_pace() {
    if (ended || silence.count() <= 0 || waited < silence) return;
    const auto seconds = std::chrono::duration<double>(waited).count();
    if (static_cast<double>(came) < seconds * slowest_pace)
      throw failure(408, {}, "The request's body comes too slowly");
    came = 0;
    waited = {};
  }

  /// The end of the stream is met once: asked again, Asio would wait for an event that has been and
  /// gone.
  awaitable<std::size_t> receive(std::span<std::byte> buffer) {
    if (gone) co_return 0;
    check_pace();
    const auto begun = std::chrono::steady_clock::now();
    waiting_since = begun;
    const std::size_t count = co_await connection.read_some(buffer);
    waiting_since.reset();
    waited += std::chrono::steady_clock::now() - begun;
    came += count;
    gone = count == 0;
    co_return count;
  }

  /// Some clients end a request's body with an empty line too many.
  std::size_t skip_empty_lines() {
    const std::string_view next(static_cast<const char*>(ahead.data().data()), ahead.size());
    const auto count = std::min(next.find_first_not_of("\r\n"), next.size());
    ahead.consume(count);
    return count;
  }

  awaitable<std::size_t> fill() {
    const auto room = ahead.prepare(read_piece);
    const std::size_t count =
        co_await receive(std::span(static_cast<std::byte*>(room.data()), room.size()));
    ahead.commit(count);
    co_return count;
  }

  awaitable<std::size_t> read_counted(std::span<std::byte> buffer) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left.value_or(0)));
    std::size_t count = std::min(wanted, ahead.size());
    if (count > 0) {
      std::memcpy(buffer.data(), ahead.data().data(), count);
      ahead.consume(count);
    } else {
      count = co_await receive(buffer.first(wanted));
      if (count == 0) throw failure(400, {}, "The request's body ended early");
    }
    left = *left - count;
    ended = *left == 0;
    co_return count;
  }

  awaitable<std::size_t> read_chunked(std::span<std::byte> buffer) {
    auto& body = reader->get().body();
    for (;;) {
      const std::string_view next(static_cast<const char*>(ahead.data().data()), ahead.size());
      if (!http::is_cut_last_chunk(next)) {
        body.data = buffer.data();
        body.size = buffer.size();
        boost::system::error_code code;
        const std::size_t used = reader->put(ahead.data(), code);
        ahead.consume(used);
        const std::size_t count = buffer.size() - body.size;
        if (reader->is_done()) {
          ended = true;
          co_return count;
        }
        if (count > 0) co_return count;
        if (code && code != beast::http::error::need_more &&
            code != beast::http::error::need_buffer)
          throw failure(400, {}, "Malformed chunk in the request's body");
        if (used > 0 && ahead.size() > 0 && !code) continue;
      }
      if (ahead.size() > head_limit) throw failure(400, {}, "Endless chunk head or trailer");
      const std::size_t more = co_await fill();
      if (more == 0) throw failure(400, {}, "The request's body ended early");
    }
  }
};

request_reader::request_reader(http::stream& connection, std::chrono::milliseconds silence)
    : state_(std::make_unique<state>(connection, silence)) {}
request_reader::~request_reader() = default;

awaitable<std::optional<request_head>> request_reader::read_head() {
  state& self = *state_;
  std::optional<request_head> head;
  self.reader = std::make_unique<parser>();
  self.reader->header_limit(head_limit);
  self.reader->body_limit(boost::none);
  self.reader->eager(false);
  // The parser's own limit holds for what one call of it sees: fields that come in pieces would add
  // up to any size.
  std::size_t parsed = 0;
  bool begun = false;
  auto started = std::chrono::steady_clock::now();
  for (bool anything = self.ahead.size() > 0;;) {
    if (!begun) parsed += self.skip_empty_lines();
    if (parsed > head_limit) throw failure(400, {}, "Endless empty lines");
    begun = begun || self.ahead.size() > 0;
    if (self.ahead.size() > 0) {
      boost::system::error_code code;
      const std::size_t used = self.reader->put(self.ahead.data(), code);
      self.ahead.consume(used);
      parsed += used;
      if (code == beast::http::error::header_limit || parsed > head_limit)
        throw failure(431, {}, "Request header fields too large");
      if (code && code != beast::http::error::need_more)
        throw failure(400, {}, "Malformed request");
      if (self.reader->is_header_done()) break;
      if (parsed + self.ahead.size() > head_limit)
        throw failure(431, {}, "Request header fields too large");
    }
    const std::size_t count = co_await self.fill();
    if (count == 0) {
      if (begun) throw failure(400, {}, "The request ended early");
      co_return head;
    }
    if (!anything) started = std::chrono::steady_clock::now();
    anything = true;
    if (std::chrono::steady_clock::now() - started > head_time)
      throw failure(408, {}, "The request took too long");
  }
  check_host(*self.reader);
  check_coding(*self.reader);
  head = to_head(*self.reader);
  self.left = head->content_length;
  if (!self.reader->chunked() && !self.left) self.left = 0;
  self.ended = !head->has_body;
  self.came = 0;
  self.waited = {};
  self.wants_continue = head->expects_continue && head->has_body;
  co_return head;
}

awaitable<std::size_t> request_reader::read_some(std::span<std::byte> buffer) {
  state& self = *state_;
  if (self.ended || buffer.empty()) co_return 0;
  self.connection.set_silence_limit(self.silence);
  if (self.wants_continue) {
    self.wants_continue = false;
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    if (self.ahead.size() == 0) co_await self.connection.write(std::as_bytes(std::span(go_on)));
  }
  std::size_t count = 0;
  if (self.left)
    count = co_await self.read_counted(buffer);
  else
    count = co_await self.read_chunked(buffer);
  // Whoever reads may take its time with what it got.
  self.connection.set_silence_limit({});
  co_return count;
}

std::optional<double> request_reader::pace() const noexcept {
  constexpr std::chrono::seconds long_enough{1};
  const state& self = *state_;
  if (self.ended || !self.waiting_since) return std::nullopt;
  const auto waited = self.waited + (std::chrono::steady_clock::now() - *self.waiting_since);
  if (waited < long_enough) return std::nullopt;
  return static_cast<double>(self.came) / std::chrono::duration<double>(waited).count();
}

bool request_reader::at_end() const noexcept { return state_->ended; }
bool request_reader::continue_pending() const noexcept { return state_->wants_continue; }

awaitable<bool> request_reader::drain(std::uint64_t limit) {
  std::vector<std::byte> scrap(64 * 1024);
  while (!state_->ended) {
    const std::size_t count = co_await read_some(scrap);
    if (count > limit) co_return false;
    limit -= count;
  }
  co_return true;
}

}  // namespace cohub::server
