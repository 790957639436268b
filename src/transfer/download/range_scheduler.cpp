#include "transfer/download/range_scheduler.hpp"

#include <algorithm>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr std::uint64_t first_chunk = 4u << 20;
constexpr std::uint64_t smallest_chunk = 1u << 20;
constexpr std::uint64_t largest_chunk = 32u << 20;

/// A piece takes so many times as long as the wait for its answer, and at the end of a file, where
/// small ones let all connections end together, at least so many times.
constexpr double worth_waiting = 20;
constexpr double worth_waiting_at_end = 2.5;
/// Pieces that are done sooner than this need not be smaller than the first ones.
constexpr double unhurried = 1;  // seconds

/// A tail that is done sooner than this is left to its connection.
constexpr double soon = 0.5;  // seconds
/// Who is slower by this factor loses all of it, not a part.
constexpr double hopeless = 8;
constexpr std::uint64_t smallest_part = 256 * 1024;

}  // namespace

range_scheduler::range_scheduler(const range_set& done, std::uint64_t size,
                                 std::uint64_t chunk_size)
    : chunk_size_(chunk_size) {
  const auto gaps = done.missing({0, size});
  missing_.assign(gaps.begin(), gaps.end());
  for (const auto& gap : gaps) missing_bytes_ += gap.size();
}

std::uint64_t range_scheduler::next_size(double rate, std::size_t workers) const noexcept {
  if (chunk_size_ > 0) return chunk_size_;
  const double wait = seconds(shortest_wait());
  const auto in = [rate](double time) {
    return static_cast<std::uint64_t>(std::min(rate * time, double{largest_chunk}));
  };
  auto wanted = first_chunk;
  if (rate > 0) wanted = std::max(in(worth_waiting * wait), std::min(first_chunk, in(unhurried)));
  wanted = static_cast<std::uint64_t>(static_cast<double>(wanted) * scale_);
  // Towards the end the pieces get smaller, so that all connections end together.
  const auto share = std::max(missing_bytes_ / (2 * std::max<std::size_t>(workers, 1)),
                              in(worth_waiting_at_end * wait));
  const auto size = std::clamp(std::min(wanted, share), smallest_chunk, largest_chunk);
  return size / smallest_chunk * smallest_chunk;
}

range_scheduler::assignment range_scheduler::take(double rate, std::size_t workers,
                                                  transfer_clock::time_point now) {
  forget_finished();
  if (missing_.empty()) return take_over(rate, now);
  auto& first = missing_.front();
  const auto size = std::min(first.size(), next_size(rate, workers));
  const core::byte_range range{first.begin, first.begin + size};
  first.begin = range.end;
  missing_bytes_ -= size;
  if (first.empty()) missing_.pop_front();
  assignment given;
  given.piece = std::make_shared<range_piece>(range, now);
  in_flight_.push_back(given.piece);
  return given;
}

range_scheduler::assignment range_scheduler::take_over(double rate,
                                                       transfer_clock::time_point now) {
  assignment given;
  range_piece_ptr slowest;
  double longest = soon;
  double slowest_rate = 0;
  for (const auto& piece : in_flight_) {
    if (now - piece->started < piece->patience) continue;
    const double its_rate = piece->meter.rate(now);
    const double time = static_cast<double>(piece->left.size()) / std::max(its_rate, 1.0);
    if (time <= longest) continue;
    longest = time;
    slowest = piece;
    slowest_rate = its_rate;
  }
  // Without a rate of its own, a fresh connection is taken to be as fast as the slow one.
  const double own = rate > 0 ? rate : slowest_rate;
  if (!slowest) return given;
  const auto left = slowest->left;
  auto part = static_cast<std::uint64_t>(static_cast<double>(left.size()) * own /
                                         std::max(own + slowest_rate, 1.0));
  if (own >= hopeless * slowest_rate) part = left.size();
  if (part < left.size() && (part < smallest_part || left.size() - part < smallest_part)) {
    if (own <= slowest_rate) return given;
    part = left.size();
  }
  slowest->left.end = left.end - part;
  given.piece = std::make_shared<range_piece>(core::byte_range{left.end - part, left.end}, now);
  if (part == left.size()) given.piece->patience = 2 * slowest->patience;
  given.taken_over = true;
  in_flight_.push_back(given.piece);
  return given;
}

void range_scheduler::begin(range_piece& piece, transfer_clock::duration wait,
                            transfer_clock::time_point now) noexcept {
  wait_ = std::min(wait_, wait);
  piece.started = now;
  piece.meter = rate_meter(now);
}

std::uint64_t range_scheduler::advance(range_piece& piece, std::uint64_t bytes,
                                       transfer_clock::time_point now) {
  piece.meter.add(bytes, now);
  const auto counted = std::min(bytes, piece.left.size());
  piece.left.begin += counted;
  return counted;
}

void range_scheduler::give_back(range_piece& piece) {
  const auto left = std::exchange(piece.left, {piece.left.begin, piece.left.begin});
  if (left.empty()) return;
  const auto later = std::find_if(missing_.begin(), missing_.end(),
                                  [&](const auto& gap) { return gap.begin > left.begin; });
  missing_.insert(later, left);
  missing_bytes_ += left.size();
}

void range_scheduler::forget_finished() {
  std::erase_if(in_flight_, [](const range_piece_ptr& piece) { return piece->left.empty(); });
}

bool range_scheduler::complete() const noexcept {
  return missing_.empty() &&
         std::all_of(in_flight_.begin(), in_flight_.end(),
                     [](const range_piece_ptr& piece) { return piece->left.empty(); });
}

std::size_t range_scheduler::pieces_at_first(std::size_t limit) const noexcept {
  const auto size = chunk_size_ > 0 ? chunk_size_ : smallest_chunk;
  const auto pieces = std::max<std::uint64_t>(missing_bytes_ / size, missing_.size());
  return static_cast<std::size_t>(
      std::clamp<std::uint64_t>(pieces, 1, std::max<std::size_t>(limit, 1)));
}

}  // namespace cohub::transfer
