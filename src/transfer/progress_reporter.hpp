#pragma once

#include "cohub/observer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace cohub::transfer {

/// Tells an observer how far one transfer is, at most ten times a second and once at the end.
class progress_reporter {
 public:
  progress_reporter(std::shared_ptr<cohub::observer> observer, std::string file,
                    transfer_progress::direction way, std::uint64_t total)
      : observer_(std::move(observer)) {
    progress_.file = std::move(file);
    progress_.way = way;
    progress_.bytes_total = total;
  }

  void add(std::uint64_t bytes) {
    if (!observer_) return;
    progress_.bytes_done += bytes;
    const auto now = std::chrono::steady_clock::now();
    const bool at_end = progress_.bytes_done >= progress_.bytes_total;
    if (at_end ? told_end_ : now < due_) return;
    told_end_ = at_end;
    due_ = now + std::chrono::milliseconds(100);
    observer_->on_progress(progress_);
  }

  /// Bytes that have to move again.
  void take_back(std::uint64_t bytes) {
    progress_.bytes_done -= std::min(bytes, progress_.bytes_done);
    told_end_ = told_end_ && bytes == 0;
  }

 private:
  std::shared_ptr<cohub::observer> observer_;
  transfer_progress progress_;
  std::chrono::steady_clock::time_point due_{};
  bool told_end_ = false;
};

/// Reports an event, if anybody listens.
inline void report_event(const std::shared_ptr<cohub::observer>& observer,
                         transfer_event::kind what, std::string file, std::string detail = {}) {
  if (!observer) return;
  transfer_event event;
  event.what = what;
  event.file = std::move(file);
  event.detail = std::move(detail);
  observer->on_event(event);
}

}  // namespace cohub::transfer
