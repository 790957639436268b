#include "io/sorted_spool.hpp"

#include "core/throw_system.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace cohub::io {

namespace {

constexpr std::size_t write_step = 64 * 1024;
constexpr std::size_t least_read_step = 4096;
/// What a pair takes besides its texts.
constexpr std::size_t overhead = 64;

using length = std::uint32_t;

void append_length(std::string& bytes, std::string_view text) {
  const auto size = static_cast<length>(text.size());
  std::array<char, sizeof size> raw{};
  std::memcpy(raw.data(), &size, sizeof size);
  bytes.append(raw.data(), raw.size());
}

}  // namespace

/// Reads the pairs of a run one after the other.
class sorted_spool::run_reader {
 public:
  run_reader(const file& from, run what, std::size_t step)
      : from_(&from), at_(what.begin), end_(what.end), step_(step) {}

  const std::string& key() const noexcept { return current_.key; }
  const std::string& value() const noexcept { return current_.value; }

  /// False at the end.
  bool next() {
    if (begin_ == buffer_.size() && at_ == end_) return false;
    const auto key_size = take_length();
    const auto value_size = take_length();
    current_.key = take(key_size);
    current_.value = take(value_size);
    return true;
  }

 private:
  length take_length() {
    const auto raw = take(sizeof(length));
    length size = 0;
    std::memcpy(&size, raw.data(), sizeof size);
    return size;
  }

  std::string_view take(std::size_t size) {
    if (buffer_.size() - begin_ < size) fill(size);
    if (buffer_.size() - begin_ < size) core::throw_system(EIO, "reading back", from_->path());
    const auto taken = std::string_view(buffer_).substr(begin_, size);
    begin_ += size;
    return taken;
  }

  void fill(std::size_t size) {
    buffer_.erase(0, std::exchange(begin_, 0));
    const auto have = buffer_.size();
    const auto more = std::min<std::uint64_t>(std::max(step_, size), end_ - at_);
    buffer_.resize(have + static_cast<std::size_t>(more));
    const auto count =
        from_->read_at(at_, std::as_writable_bytes(std::span(buffer_)).subspan(have));
    buffer_.resize(have + count);
    at_ += count;
  }

  const file* from_;
  std::uint64_t at_;
  std::uint64_t end_;
  std::size_t step_;
  std::string buffer_{};
  std::size_t begin_ = 0;  // of what is not taken
  pair current_{};
};

void sorted_spool::add(std::string key, std::string value) {
  held_ += key.size() + value.size() + overhead;
  auto& added = pairs_.emplace_back();
  added.key = std::move(key);
  added.value = std::move(value);
  if (held_ > memory_) spill();
}

void sorted_spool::sort() {
  std::stable_sort(pairs_.begin(), pairs_.end(),
                   [](const pair& a, const pair& b) { return a.key < b.key; });
}

void sorted_spool::spill() {
  if (!file_.is_open()) file_ = file::make_scratch(folder_);
  sort();
  run what;
  what.begin = what.end = runs_.empty() ? 0 : runs_.back().end;
  std::string bytes;
  const auto flush = [&] {
    file_.write_at(what.end, std::as_bytes(std::span(bytes)));
    what.end += bytes.size();
    bytes.clear();
  };
  for (const auto& [key, value] : pairs_) {
    append_length(bytes, key);
    append_length(bytes, value);
    bytes += key;
    bytes += value;
    if (bytes.size() >= write_step) flush();
  }
  flush();
  runs_.push_back(what);
  pairs_.clear();
  held_ = 0;
}

void sorted_spool::for_each(const visitor& visit) {
  if (!runs_.empty()) return merge(visit);
  sort();
  for (const auto& [key, value] : pairs_) visit(key, value);
}

void sorted_spool::merge(const visitor& visit) {
  if (!pairs_.empty()) spill();
  const auto step = std::max(memory_ / runs_.size(), least_read_step);
  std::vector<run_reader> readers;
  readers.reserve(runs_.size());
  for (const auto& each : runs_) readers.emplace_back(file_, each, step);
  // A heap of indices, the least pair on top; of equal keys that of the earlier run.
  const auto comes_later = [&readers](std::size_t a, std::size_t b) {
    const int order = readers[a].key().compare(readers[b].key());
    return order != 0 ? order > 0 : a > b;
  };
  std::vector<std::size_t> heap;
  for (std::size_t i = 0; i < readers.size(); ++i)
    if (readers[i].next()) heap.push_back(i);
  std::make_heap(heap.begin(), heap.end(), comes_later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), comes_later);
    auto& least = readers[heap.back()];
    visit(least.key(), least.value());
    if (least.next())
      std::push_heap(heap.begin(), heap.end(), comes_later);
    else
      heap.pop_back();
  }
}

}  // namespace cohub::io
