#include "transfer/remote_file/content_read.hpp"

#include "cohub/error.hpp"

#include "hub/file_metadata.hpp"
#include "io/for_each_bounded.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

/// Less than this is not worth a request of its own.
constexpr std::size_t smallest_piece = 4u << 20;
/// More than this leaves a slow connection too long to wait for at the end.
constexpr std::size_t largest_piece = 16u << 20;
/// Bytes that one read drops on the way to an offset.
constexpr std::size_t drop_size = 64 * 1024;

std::string_view told(const http::response_head& head, std::string_view name) {
  const auto value = head.headers.get(name);
  return value.empty() ? head.redirect_headers.get(name) : value;
}

/// What the answer says of the content's identity, compared with what the HEAD said; nothing if it
/// does not differ. The Hub tells at every redirect; the address it leads to need not.
std::exception_ptr find_change(const content_session& self, const http::response_head& head) {
  auto etag = told(head, "X-Linked-Etag");
  if (etag.empty() && !self.source->is_foreign(head.url)) etag = head.headers.get("ETag");
  const auto now = hub::normalize_etag(etag);
  // An etag of another kind is the mark of a cache in front of the Hub, and says nothing.
  if (now == self.what.etag || hub::kind_of_etag(now) != hub::kind_of_etag(self.what.etag) ||
      hub::kind_of_etag(now) == hub::etag_kind::opaque)
    return {};
  return std::make_exception_ptr(error(errc::content_mismatch,
                                       "reading " + self.what.name + ": it changed on the server",
                                       context_of(head)));
}

[[noreturn]] void throw_short(const content_session& self) {
  throw error(errc::truncated_body, "reading " + self.what.name);
}

/// Opens, and compares what is told of the content. An address that leads to another content is as
/// good as any to the later requests: the first one that is told remembers for all.
awaitable<opened_content> open_same(reading_ptr self, core::byte_range range, bool ranged) {
  opened_content opened;
  if (!self->changed) {
    opened = co_await open_content(self, range, ranged);
    if (!opened.failure) self->changed = find_change(*self, opened.answer.head());
  }
  if (self->changed) opened.failure = self->changed;
  co_return opened;
}

}  // namespace

reading_ptr make_content_reading(asio::any_io_executor executor, context_ptr shared,
                                 content_description what,
                                 std::shared_ptr<cohub::observer> observer) {
  auto source =
      std::make_shared<content_source>(executor, what.resolve, what.location, what.credentials);
  auto reading = std::make_shared<content_reading>();
  reading->shared = std::move(shared);
  reading->what = std::move(what);
  reading->observer = std::move(observer);
  reading->source = std::move(source);
  return reading;
}

awaitable<void> read_range(reading_ptr self, core::byte_range range, std::span<std::byte> room,
                           const std::function<void(std::size_t)>& landed) {
  const bool whole = range.begin == 0 && range.end == self->what.size;
  retry_counter counter(self->shared->retries, self->shared->turns->activity());
  std::size_t filled = 0;
  std::size_t farthest = 0;
  while (filled < room.size()) {
    const core::byte_range rest{range.begin + filled, range.end};
    auto opened = co_await open_same(self, rest, !whole || filled > 0);
    if (opened.refused_range || (opened.ignored_range && !opened.failure)) {
      if (!whole) throw whole_content_only();
      filled = 0;
    }
    if (opened.refused_range) continue;
    try {
      while (!opened.failure && range.begin + filled < opened.range.end) {
        const auto to_come = room.subspan(filled).first(opened.range.end - range.begin - filled);
        const auto count = co_await opened.answer.read_some(to_come);
        if (count == 0) throw_short(*self);
        filled += count;
        if (filled <= farthest) continue;
        if (landed) landed(filled - farthest);
        counter.progressed(filled - farthest);
        farthest = filled;
      }
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) throw;
      opened.fail(std::current_exception());
    }
    if (!opened.failure) continue;  // unless that was all
    opened.answer = {};             // closes the connection, which the next try may need
    content_turns::turn none;       // the reader takes its time
    co_await wait_to_retry(self, counter, opened, std::move(none));
  }
}

awaitable<void> read_ranges(reading_ptr self, std::uint64_t offset, std::span<std::byte> room,
                            std::size_t connections) {
  const auto piece = std::clamp(room.size() / connections, smallest_piece, largest_piece);
  const auto count = (room.size() + piece - 1) / piece;
  auto read_piece = [&](std::size_t index) -> awaitable<void> {
    const auto begin = index * piece;
    const auto part = room.subspan(begin, std::min(piece, room.size() - begin));
    const core::byte_range range{offset + begin, offset + begin + part.size()};
    const std::function<void(std::size_t)> nobody;
    auto reading = read_range(self, range, part, nobody);
    co_await std::move(reading);
  };
  if (count <= 1) {
    co_await read_piece(0);
    co_return;
  }
  co_await io::for_each_bounded(count, connections, std::move(read_piece));
}

awaitable<void> read_through(reading_ptr self, whole_stream& stream, std::uint64_t offset,
                             std::span<std::byte> room) {
  // Kept here meanwhile, so that it is closed if an exception ends the reading.
  whole_stream now = std::exchange(stream, whole_stream());
  if (now.open && now.at > offset) now = whole_stream();
  retry_counter counter(self->shared->retries, self->shared->turns->activity());
  std::uint64_t farthest = now.at;
  std::vector<std::byte> dropped;
  std::size_t filled = 0;
  while (filled < room.size()) {
    opened_content opened;
    if (!now.open) {
      const core::byte_range all{0, self->what.size};
      opened = co_await open_same(self, all, false);
      now.at = 0;
      now.open = !opened.failure;
      now.origin = opened.origin;
      if (now.open) now.answer = std::move(opened.answer);
    }
    opened.origin = now.origin;
    try {
      while (now.open && filled < room.size()) {
        auto target = room.subspan(filled);
        const auto wanted = offset + filled;
        if (now.at < wanted) {
          dropped.resize(drop_size);
          target = std::span(dropped).first(
              static_cast<std::size_t>(std::min<std::uint64_t>(drop_size, wanted - now.at)));
        }
        const auto count = co_await now.answer.read_some(target);
        if (count == 0) throw_short(*self);
        if (now.at == wanted) filled += count;
        now.at += count;
        if (now.at > farthest) counter.progressed(now.at - farthest);
        farthest = std::max(farthest, now.at);
      }
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) throw;
      opened.fail(std::current_exception());
    }
    if (!opened.failure) break;
    opened.answer = {};
    now = whole_stream();
    content_turns::turn none;  // the reader takes its time
    co_await wait_to_retry(self, counter, opened, std::move(none));
  }
  stream = std::move(now);
}

}  // namespace cohub::transfer
