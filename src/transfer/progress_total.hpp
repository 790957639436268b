#pragma once

#include "cohub/observer.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace cohub::transfer {

/// How far all downloads, or all uploads, are together that report to one observer and overlap in
/// time. Tells it at most ten times a second, and once when the last of them lets go. Any thread
/// may call.
class progress_total {
 public:
  explicit progress_total(std::shared_ptr<observer> listener,
                          transfer_progress::direction way = transfer_progress::direction::download)
      : listener_(std::move(listener)) {
    total_.way = way;
  }
  progress_total(progress_total&&) = delete;
  ~progress_total();

  /// Files that are going to be downloaded: their `begin_file` adds nothing any more.
  void announce(std::uint64_t files, std::uint64_t bytes);
  /// Announced files that turn out to be there already.
  void skip(std::uint64_t files, std::uint64_t bytes);

  /// Tells nobody: something moves next.
  /// @return  whether the file had been announced
  bool begin_file(std::uint64_t bytes);
  /// Takes back what `begin_file` said, and what moved since.
  void abandon_file(bool announced, std::uint64_t bytes, std::uint64_t moved_bytes);
  void finish_file();
  /// Takes back files that were announced, with what moved of them: nothing will come of them.
  void withdraw(std::uint64_t files, std::uint64_t bytes, std::uint64_t moved_bytes);
  /// Negative: bytes that have to move again.
  void move(std::int64_t bytes);

  transfer_total now() const;

 private:
  void tell(std::unique_lock<std::mutex> guard);

  std::shared_ptr<observer> listener_;
  mutable std::mutex mutex_;
  transfer_total total_{};
  std::uint64_t announced_ = 0;  // files, not begun
  bool untold_ = false;
  std::chrono::steady_clock::time_point due_{};
};

/// The totals of each observer, as long as anything reports to it. Belongs to one executor.
class observer_totals {
 public:
  /// Null for a null observer.
  std::shared_ptr<progress_total> of(
      const std::shared_ptr<observer>& listener,
      transfer_progress::direction way = transfer_progress::direction::download);

 private:
  std::map<std::pair<const observer*, transfer_progress::direction>, std::weak_ptr<progress_total>>
      totals_{};
};

}  // namespace cohub::transfer
