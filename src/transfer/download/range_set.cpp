#include "transfer/download/range_set.hpp"

#include <algorithm>
#include <iterator>

namespace cohub::transfer {

void range_set::add(core::byte_range range) {
  if (range.empty()) return;
  auto it = ends_.upper_bound(range.begin);
  if (it != ends_.begin() && std::prev(it)->second >= range.begin) --it;
  while (it != ends_.end() && it->first <= range.end) {
    range.begin = std::min(range.begin, it->first);
    range.end = std::max(range.end, it->second);
    it = ends_.erase(it);
  }
  ends_.emplace_hint(it, range.begin, range.end);
}

std::uint64_t range_set::count() const noexcept {
  std::uint64_t bytes = 0;
  for (const auto& [begin, end] : ends_) bytes += end - begin;
  return bytes;
}

std::uint64_t range_set::end_of_run(std::uint64_t begin) const noexcept {
  const auto it = ends_.upper_bound(begin);
  if (it == ends_.begin()) return begin;
  return std::max(begin, std::prev(it)->second);
}

std::vector<core::byte_range> range_set::missing(core::byte_range within) const {
  std::vector<core::byte_range> gaps;
  auto at = end_of_run(within.begin);
  auto next = ends_.upper_bound(at);
  while (at < within.end) {
    const bool is_last = next == ends_.end() || next->first >= within.end;
    gaps.push_back({at, is_last ? within.end : next->first});
    if (is_last) break;
    at = next->second;
    ++next;
  }
  return gaps;
}

std::vector<core::byte_range> range_set::ranges() const {
  std::vector<core::byte_range> all;
  for (const auto& [begin, end] : ends_) all.push_back({begin, end});
  return all;
}

}  // namespace cohub::transfer
