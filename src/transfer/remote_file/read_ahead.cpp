#include "transfer/remote_file/read_ahead.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace cohub::transfer {

namespace {

/// What is fetched after a jump, before it is known that reading goes on from there.
constexpr std::uint64_t first_fetch = 256 * 1024;
/// A segment is at least this long.
constexpr std::uint64_t smallest_segment = 64 * 1024;
/// Stays free for transfers: they wait for their turn, and a reader that pauses has no end.
constexpr std::uint64_t left_for_others = 8u << 20;

/// As much of `limit` as the budget can ever spare.
std::uint64_t within(const io::fair_semaphore* memory, std::uint64_t limit) {
  if (memory != nullptr)
    limit = std::min(limit, memory->size() - std::min(memory->size(), left_for_others));
  return std::max(limit, smallest_segment);
}

}  // namespace

struct read_ahead::segment {
  segment(core::byte_range which, memory place, asio::any_io_executor executor)
      : range(which), room(std::move(place)), arrived(std::move(executor)) {}

  core::byte_range range;
  memory room;
  std::uint64_t filled = 0;  // bytes from the start that are there
  bool ended = false;
  std::exception_ptr failure{};
  io::signal arrived;
  asio::cancellation_signal stop;
};

read_ahead::read_ahead(asio::any_io_executor executor, reading_ptr fetch, std::uint64_t limit,
                       std::size_t connections)
    : executor_(std::move(executor)),
      fetch_(std::move(fetch)),
      limit_(within(fetch_->shared->buffer_bytes.get(), limit)),
      connections_(static_cast<std::size_t>(
          std::min<std::uint64_t>(connections, limit_ / smallest_segment))),
      segment_size_(limit_ / connections_) {}

read_ahead::~read_ahead() { drop_all(); }

awaitable<void> read_ahead::fill(reading_ptr fetch, segment_ptr into) {
  const auto size = static_cast<std::size_t>(into->range.size());
  const std::function<void(std::size_t)> landed = [&into](std::size_t count) {
    into->filled += count;
    into->arrived.notify();
  };
  try {
    const std::span room(into->room.bytes.get(), size);
    co_await read_range(std::move(fetch), into->range, room, landed);
  } catch (...) {
    into->failure = std::current_exception();
  }
  into->ended = true;
  into->arrived.notify();
}

awaitable<std::size_t> read_ahead::read_some(std::shared_ptr<read_ahead> self,
                                             std::uint64_t position, std::span<std::byte> into) {
  self->move_to(position);
  self->fetch_more(position);
  if (self->segments_.empty()) co_return 0;
  const auto from = self->segments_.front();
  const auto begin = position - from->range.begin;
  while (from->filled <= begin && !from->ended) co_await from->arrived.wait();
  if (from->filled <= begin) {
    self->drop_all();
    std::rethrow_exception(from->failure);
  }
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), from->filled - begin));
  std::memcpy(into.data(), from->room.bytes.get() + begin, count);
  self->sequential_ += count;
  self->move_to(position + count);
  self->fetch_more(position + count);
  co_return count;
}

void read_ahead::move_to(std::uint64_t position) {
  if (!segments_.empty() && segments_.front()->range.begin <= position && position < end_) {
    while (segments_.front()->range.end <= position) drop_front();
    return;
  }
  const bool goes_on = position == end_;
  while (!segments_.empty()) drop_front();
  end_ = position;
  if (!goes_on) sequential_ = 0;
}

void read_ahead::fetch_more(std::uint64_t position) {
  const auto size = fetch_->what.size;
  const auto allowed = std::clamp(8 * sequential_, std::min(first_fetch, limit_), limit_);
  while (end_ < size && segments_.size() < connections_) {
    const auto ahead = end_ - position;
    const auto left = allowed > ahead ? allowed - ahead : 0;
    // Halves, so that the next one is asked for before the last one is used up.
    auto length = std::min(segment_size_, std::max(allowed / 2, smallest_segment));
    if (segments_.empty()) length = std::min(segment_size_, allowed);
    if (!segments_.empty() && left < length) break;
    if (!fetch_segment(std::min(length, size - end_))) break;
  }
  if (end_ == size) spare_.clear();
}

bool read_ahead::fetch_segment(std::uint64_t length) {
  auto room = take_memory();
  if (!room) return false;
  const core::byte_range range{end_, end_ + length};
  auto place = std::make_shared<segment>(range, std::move(*room), executor_);
  segments_.push_back(place);
  end_ = range.end;
  const auto slot = place->stop.slot();
  auto filling = fill(fetch_, place);
  // The handler keeps the signal until the coroutine has gone.
  asio::co_spawn(executor_, std::move(filling),
                 asio::bind_cancellation_slot(slot, [place](std::exception_ptr) {}));
  return true;
}

std::optional<read_ahead::memory> read_ahead::take_memory() {
  std::optional<memory> taken;
  if (!spare_.empty()) {
    taken = std::move(spare_.back());
    spare_.pop_back();
    return taken;
  }
  const auto bytes = std::min(segment_size_, fetch_->what.size);
  auto permit =
      io::fair_semaphore::try_acquire(fetch_->shared->buffer_bytes, bytes, left_for_others);
  if (!permit) return taken;
  taken.emplace();
  taken->permit = std::move(*permit);
  taken->bytes = std::make_shared_for_overwrite<std::byte[]>(static_cast<std::size_t>(bytes));
  return taken;
}

void read_ahead::drop_front() {
  const auto place = std::move(segments_.front());
  segments_.pop_front();
  if (place->ended) {
    spare_.push_back(std::move(place->room));
    return;
  }
  // Not from in here: a signal must not be emitted inside of what it cancels.
  asio::post(executor_, [place] { place->stop.emit(asio::cancellation_type::terminal); });
}

void read_ahead::drop_all() {
  while (!segments_.empty()) drop_front();
  spare_.clear();
  sequential_ = 0;
  end_ = 0;
}

}  // namespace cohub::transfer
