#include "transfer/shared_observer.hpp"

#include <algorithm>
#include <utility>

namespace cohub::transfer {

namespace {

bool is_same(const transfer_listener& a, const transfer_listener& b) {
  return a.observer == b.observer && a.file == b.file;
}

}  // namespace

void shared_observer::add(const transfer_listener& listener) {
  if (!listener.observer) return;
  const std::scoped_lock guard(mutex_);
  for (auto& known : entries_) {
    if (!is_same(known.who, listener)) continue;
    ++known.count;
    return;
  }
  entry added;
  added.who = listener;
  added.count = 1;
  entries_.push_back(std::move(added));
}

void shared_observer::remove(const transfer_listener& listener) {
  entry gone;
  {
    const std::scoped_lock guard(mutex_);
    const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const entry& candidate) {
      return is_same(candidate.who, listener);
    });
    if (known == entries_.end() || --known->count > 0) return;
    gone = std::move(*known);
    entries_.erase(known);
  }
  if (gone.who.total && gone.file.begun && !gone.file.finished)
    gone.who.total->abandon_file(gone.file.announced, gone.file.size, gone.file.moved);
}

std::vector<transfer_listener> shared_observer::listeners() const {
  const std::scoped_lock guard(mutex_);
  std::vector<transfer_listener> found;
  found.reserve(entries_.size());
  for (const auto& known : entries_) found.push_back(known.who);
  return found;
}

// No observer is called under the mutex: what it does is its own affair.
void shared_observer::on_progress(const transfer_progress& progress) {
  struct step {
    std::shared_ptr<progress_total> total{};
    std::int64_t bytes = 0;
  };
  std::vector<step> steps;
  {
    const std::scoped_lock guard(mutex_);
    for (auto& [who, file, count] : entries_) {
      if (!who.total) continue;
      if (!file.begun) {
        file.begun = true;
        file.size = progress.bytes_total;
        file.announced = who.total->begin_file(file.size);
      }
      step moved;
      moved.total = who.total;
      moved.bytes =
          static_cast<std::int64_t>(progress.bytes_done) - static_cast<std::int64_t>(file.moved);
      file.moved = progress.bytes_done;
      steps.push_back(std::move(moved));
    }
  }
  for (const auto& moved : steps) moved.total->move(moved.bytes);
  for (const auto& who : listeners()) {
    auto told = progress;
    told.file = who.file;
    who.observer->on_progress(told);
  }
}

void shared_observer::on_event(const transfer_event& event) {
  const bool is_hit = event.what == transfer_event::kind::cache_hit;
  if (is_hit || event.what == transfer_event::kind::finished) {
    std::vector<std::shared_ptr<progress_total>> totals;
    {
      const std::scoped_lock guard(mutex_);
      for (auto& [who, file, count] : entries_) {
        if (!who.total || file.finished || (is_hit && !file.begun)) continue;
        if (!file.begun) file.announced = who.total->begin_file(0);  // nothing had to move
        file.begun = true;
        file.finished = true;
        totals.push_back(who.total);
      }
    }
    for (const auto& total : totals) total->finish_file();
  }
  for (const auto& who : listeners()) {
    auto told = event;
    told.file = who.file;
    who.observer->on_event(told);
  }
}

}  // namespace cohub::transfer
