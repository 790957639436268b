#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"
#include "cohub/remote_file.hpp"

#include "io/on_pool.hpp"
#include "transfer/remote_file/remote_file_state.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace cohub::transfer {

namespace {

using detail::remote_file_state;

/// What a small read fetches where nothing is read ahead.
constexpr std::size_t near_size = 64 * 1024;
/// Bytes that one job of the pool reads.
constexpr std::size_t local_piece = 4u << 20;

// In these coroutines `into` is lent by a caller that awaits in the same scope, and is not empty;
// it lies within the file.

awaitable<void> read_local(remote_file_ptr self, std::uint64_t offset, std::span<std::byte> into) {
  while (!into.empty()) {
    const auto part = into.first(std::min(into.size(), local_piece));
    auto work = [file = self->local, offset, part] { return file->read_at(offset, part); };
    auto reading = io::on_pool(self->pool, std::move(work));
    const auto count = co_await std::move(reading);
    if (count < part.size())
      throw error(errc::content_mismatch,
                  "reading " + self->local->path().string() + ": it became shorter");
    offset += count;
    into = into.subspan(count);
  }
}

void check_distance(const remote_file_state& self, std::uint64_t distance) {
  if (distance > self.max_read_through)
    throw error(errc::ranges_unsupported, "reading " + self.path + ": " + std::to_string(distance) +
                                              " bytes would have to be read and dropped, at most " +
                                              std::to_string(self.max_read_through) +
                                              " may (max_read_through)");
}

/// False if the server sends files only whole. `into` is lent as above.
awaitable<bool> read_by_ranges(remote_file_ptr self, std::uint64_t offset,
                               std::span<std::byte> into) {
  if (self->whole_only) co_return false;
  try {
    co_await read_ranges(self->fetch, offset, into, self->connections);
  } catch (const whole_content_only&) {
    self->whole_only = true;
  }
  co_return !self->whole_only;
}

// `into` is lent as above.
awaitable<void> read_part(remote_file_ptr self, std::uint64_t offset, std::span<std::byte> into) {
  if (self->local) {
    co_await read_local(self, offset, into);
    co_return;
  }
  const bool done = co_await read_by_ranges(self, offset, into);
  if (done) co_return;
  check_distance(*self, offset);
  whole_stream stream;
  co_await read_through(self->fetch, stream, offset, into);
}

/// The same at the position, through a stream that stays open from read to read where the server
/// sends files only whole. `into` is lent as above.
awaitable<void> read_next_part(remote_file_ptr self, std::span<std::byte> into) {
  const auto position = self->position;
  if (!self->whole_only) {
    if (!self->local) {
      const bool done = co_await read_by_ranges(self, position, into);
      if (done) co_return;
    } else {
      co_await read_local(self, position, into);
      co_return;
    }
  }
  // A stream that broke is taken up again whatever that costs: only a jump is refused.
  if (position != self->stream_position) check_distance(*self, self->stream.distance_to(position));
  co_await read_through(self->fetch, self->stream, position, into);
  self->stream_position = position + into.size();
}

/// Copies what the last small read brought from `position` on.
std::size_t copy_near(const remote_file_state& self, std::span<std::byte> into) {
  if (self.position < self.near_begin || self.position - self.near_begin >= self.near.size())
    return 0;
  const auto begin = static_cast<std::size_t>(self.position - self.near_begin);
  const auto count = std::min(into.size(), self.near.size() - begin);
  std::memcpy(into.data(), self.near.data() + begin, count);
  return count;
}

/// At least one byte at the position. `into` is lent as above.
awaitable<std::size_t> read_some(remote_file_ptr self, std::span<std::byte> into) {
  if (const auto count = copy_near(*self, into); count > 0) co_return count;
  // What is much longer than the read-ahead needs none: it comes in parallel as it is.
  if (self->ahead && !self->whole_only && into.size() / 2 < self->ahead->limit()) {
    try {
      const auto count = co_await read_ahead::read_some(self->ahead, self->position, into);
      if (count > 0) co_return count;
    } catch (const whole_content_only&) {
      self->whole_only = true;
      self->ahead.reset();
    }
  }
  if (into.size() >= near_size) {
    co_await read_next_part(self, into);
    co_return into.size();
  }
  const auto rest = self->facts.size - self->position;
  std::vector<std::byte> piece(static_cast<std::size_t>(std::min<std::uint64_t>(near_size, rest)));
  co_await read_next_part(self, piece);
  self->near = std::move(piece);
  self->near_begin = self->position;
  co_return copy_near(*self, into);
}

std::span<std::byte> cut_to_file(const remote_file_state& self, std::uint64_t offset,
                                 std::span<std::byte> into) {
  const auto rest = offset < self.facts.size ? self.facts.size - offset : 0;
  return into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), rest)));
}

/// Marks a sequential read; one that fails has not moved the position.
class sequential_read {
 public:
  explicit sequential_read(remote_file_ptr self)
      : self_(std::move(self)),
        position_(self_->position),
        stream_position_(self_->stream_position) {
    self_->reading = true;
  }
  sequential_read(sequential_read&&) = delete;
  ~sequential_read() {
    self_->reading = false;
    if (done_) return;
    self_->position = position_;
    self_->stream_position = stream_position_;
  }
  void done() noexcept { done_ = true; }

 private:
  remote_file_ptr self_;
  std::uint64_t position_;
  std::uint64_t stream_position_;
  bool done_ = false;
};

}  // namespace

// `into` is lent by the caller of the public member until the operation has ended.
awaitable<std::size_t> read_at(remote_file_ptr self, std::uint64_t offset,
                               std::span<std::byte> into) {
  const auto part = cut_to_file(*self, offset, into);
  if (!part.empty()) {
    co_await read_part(self, offset, part);
  }
  co_return part.size();
}

// `into` is lent as for `read_at`.
awaitable<std::size_t> read_on(remote_file_ptr self, std::span<std::byte> into) {
  if (self->reading)
    throw error(errc::invalid_argument, "reading " + self->path + ": another read is in flight");
  sequential_read marked(self);
  const auto part = cut_to_file(*self, self->position, into);
  for (std::size_t filled = 0; filled < part.size();) {
    const auto count = co_await read_some(self, part.subspan(filled));
    filled += count;
    self->position += count;
  }
  marked.done();
  co_return part.size();
}

}  // namespace cohub::transfer

namespace cohub {

remote_file::remote_file(std::shared_ptr<detail::remote_file_state> state) noexcept
    : state_(std::move(state)) {}

const std::string& remote_file::path() const noexcept { return state_->path; }
const std::string& remote_file::commit() const noexcept { return state_->facts.commit; }
const std::string& remote_file::etag() const noexcept { return state_->facts.etag; }
std::uint64_t remote_file::size() const noexcept { return state_->facts.size; }
bool remote_file::is_local() const noexcept { return state_->local != nullptr; }
std::uint64_t remote_file::position() const noexcept { return state_->position; }

void remote_file::seek(std::uint64_t position) {
  if (state_->reading)
    throw error(errc::invalid_argument, "moving in " + state_->path + ": a read is in flight");
  state_->position = position;
}

awaitable<std::size_t> remote_file::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  return detail::operation(transfer::read_at(state_, offset, into));
}

awaitable<std::size_t> remote_file::read(std::span<std::byte> into) {
  return detail::operation(transfer::read_on(state_, into));
}

}  // namespace cohub
