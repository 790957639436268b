#include "transfer/shared_observer.hpp"

#include <algorithm>
#include <utility>

namespace cohub::transfer {

void shared_observer::add(std::shared_ptr<observer> listener, std::string file) {
  if (!listener) return;
  const std::scoped_lock guard(mutex_);
  for (auto& known : entries_) {
    if (known.listener != listener || known.file != file) continue;
    ++known.count;
    return;
  }
  entry added;
  added.listener = std::move(listener);
  added.file = std::move(file);
  added.count = 1;
  entries_.push_back(std::move(added));
}

void shared_observer::remove(const std::shared_ptr<observer>& listener, const std::string& file) {
  const std::scoped_lock guard(mutex_);
  const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const entry& candidate) {
    return candidate.listener == listener && candidate.file == file;
  });
  if (known != entries_.end() && --known->count == 0) entries_.erase(known);
}

std::vector<shared_observer::entry> shared_observer::listeners() const {
  const std::scoped_lock guard(mutex_);
  return entries_;
}

// Nobody is called under the mutex: what a listener does is its own affair.
void shared_observer::on_progress(const transfer_progress& progress) {
  for (const auto& known : listeners()) {
    auto told = progress;
    told.file = known.file;
    known.listener->on_progress(told);
  }
}

void shared_observer::on_event(const transfer_event& event) {
  for (const auto& known : listeners()) {
    auto told = event;
    told.file = known.file;
    known.listener->on_event(told);
  }
}

}  // namespace cohub::transfer
