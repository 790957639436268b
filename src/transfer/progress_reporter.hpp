#pragma once

#include "cohub/observer.hpp"

#include "transfer/upload_total.hpp"

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
  /// @param counts_in  that the bytes of an upload are added to; may be null
  progress_reporter(std::shared_ptr<cohub::observer> observer, std::string file,
                    transfer_progress::direction way, std::uint64_t total,
                    std::shared_ptr<upload_total> counts_in = {})
      : observer_(std::move(observer)), counts_in_(std::move(counts_in)) {
    progress_.file = std::move(file);
    progress_.way = way;
    progress_.bytes_total = total;
  }
  progress_reporter(progress_reporter&&) = default;  // leaves nothing to take back
  /// What was told of a file that is not done does not stay in the total: it may be sent anew.
  ~progress_reporter() {
    if (!counts_in_) return;
    try {
      counts_in_->move(-static_cast<std::int64_t>(progress_.bytes_done));
    } catch (...) {  // observers do not throw; nothing may leave a destructor
    }
  }

  void add(std::uint64_t bytes) {
    if (!observer_) return;
    moved_ += bytes;
    tell_total();
    const auto now = std::chrono::steady_clock::now();
    const bool at_end = progress_.bytes_done >= progress_.bytes_total;
    if (at_end ? told_end_ : now < due_) return;
    told_end_ = at_end;
    due_ = now + std::chrono::milliseconds(100);
    observer_->on_progress(progress_);
  }

  /// Bytes that have to move again, or moved for nothing.
  void take_back(std::uint64_t bytes) {
    moved_ -= std::min(bytes, moved_);
    tell_total();
    told_end_ = told_end_ && bytes == 0;
  }

  /// The file is done: what still moves of it adds to no total.
  void stop_counting() noexcept { counts_in_.reset(); }

  /// As told so far.
  std::uint64_t bytes_done() const noexcept { return progress_.bytes_done; }

 private:
  /// A part that goes twice at once counts once.
  void tell_total() {
    const auto done = std::min(moved_, progress_.bytes_total);
    if (counts_in_)
      counts_in_->move(static_cast<std::int64_t>(done) -
                       static_cast<std::int64_t>(progress_.bytes_done));
    progress_.bytes_done = done;
  }

  std::shared_ptr<cohub::observer> observer_;
  std::shared_ptr<upload_total> counts_in_;
  transfer_progress progress_;
  std::uint64_t moved_ = 0;
  std::chrono::steady_clock::time_point due_{};
  bool told_end_ = false;
};

}  // namespace cohub::transfer
