#pragma once

#include "transfer/download/range_scheduler.hpp"

#include <cstddef>
#include <cstdint>

namespace cohub::transfer {

/// How many connections one file deserves: a few at first, more as long as more bring more. What
/// the servers bear is for `content_turns` to say. Pure: the time is an argument.
class connection_governor {
 public:
  connection_governor(std::size_t limit, transfer_clock::time_point now);

  /// Connections to use at present, at least 1.
  std::size_t target() const noexcept { return target_; }
  void count(std::uint64_t bytes) noexcept { bytes_ += bytes; }
  /// Looks at what has come; to be called every `interval`.
  /// @param wait  the shortest for an answer so far
  void tick(transfer_clock::time_point now, transfer_clock::duration wait) noexcept;

  static constexpr auto interval = std::chrono::milliseconds(50);

 private:
  void warm_up_from(transfer_clock::time_point now) noexcept;
  void begin_trial(std::size_t target, transfer_clock::time_point now) noexcept;

  std::size_t limit_;
  std::size_t target_;
  std::size_t settled_;      // what the trial is compared with
  double settled_rate_ = 0;  // bytes a second that it brought
  bool climbing_ = true;     // since the start, every trial was worthwhile
  bool trying_ = true;       // whether `target_` is on trial
  bool warming_up_ = true;   // what comes says nothing yet
  std::uint64_t bytes_ = 0;  // since `since_`
  transfer_clock::time_point since_;
  transfer_clock::time_point next_trial_;
};

}  // namespace cohub::transfer
