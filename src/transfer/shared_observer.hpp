#pragma once

#include "cohub/observer.hpp"

#include "transfer/progress_total.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cohub::transfer {

/// Who hears of a transfer, and by what name.
struct transfer_listener {
  std::shared_ptr<cohub::observer> observer{};  ///< null: nobody
  std::shared_ptr<progress_total> total{};      ///< that the transfer counts in; may be null
  std::string file{};
};

/// Tells several observers of one download, each by the name that the file has for it, and counts
/// in their totals. Who listens twice under the same name is told once.
class shared_observer final : public observer {
 public:
  void add(const transfer_listener& listener);
  void remove(const transfer_listener& listener);

  void on_progress(const transfer_progress& progress) override;
  void on_event(const transfer_event& event) override;

 private:
  /// What a listener's total knows of the file.
  struct counted {
    bool begun = false;
    bool announced = false;
    bool finished = false;
    std::uint64_t size = 0;
    std::uint64_t moved = 0;
  };
  struct entry {
    transfer_listener who{};
    counted file{};
    std::size_t count = 0;
  };
  std::vector<transfer_listener> listeners() const;

  mutable std::mutex mutex_;
  std::vector<entry> entries_{};
};

}  // namespace cohub::transfer
