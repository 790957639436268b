#include "transfer/range_plan.hpp"

#include <algorithm>

namespace cohub::transfer {

range_plan::range_plan(const range_set& done, std::uint64_t size, std::uint64_t chunk_size)
    : chunk_size_(std::max<std::uint64_t>(chunk_size, 1)) {
  const auto gaps = done.missing(size);
  missing_.assign(gaps.begin(), gaps.end());
}

std::optional<core::byte_range> range_plan::take() {
  if (missing_.empty()) return {};
  auto& first = missing_.front();
  const core::byte_range piece{first.begin, first.begin + std::min(first.size(), chunk_size_)};
  first.begin = piece.end;
  if (first.empty()) missing_.pop_front();
  return piece;
}

void range_plan::give_back(core::byte_range rest) {
  if (rest.empty()) return;
  const auto place =
      std::find_if(missing_.begin(), missing_.end(),
                   [&](const core::byte_range& other) { return other.begin > rest.begin; });
  missing_.insert(place, rest);
}

std::size_t range_plan::pieces_left() const noexcept {
  std::uint64_t pieces = 0;
  for (const auto& range : missing_) pieces += (range.size() + chunk_size_ - 1) / chunk_size_;
  return static_cast<std::size_t>(pieces);
}

}  // namespace cohub::transfer
