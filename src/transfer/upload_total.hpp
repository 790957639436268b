#pragma once

#include "transfer/progress_total.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace cohub::transfer {

/// What one upload adds to the total of its observer; what is not done when it ends is taken back.
/// Any thread may call.
class upload_total {
 public:
  /// @param total  null: nobody listens
  explicit upload_total(std::shared_ptr<progress_total> total) : total_(std::move(total)) {}
  upload_total(upload_total&&) = delete;
  ~upload_total();

  /// Files that will be sent, or turn out not to need it.
  void announce(std::uint64_t files, std::uint64_t bytes);
  /// Bytes of them that were sent; negative: that have to be sent again.
  void move(std::int64_t bytes);
  /// A file of so many bytes is there, `moved` of which were told.
  void finish(std::uint64_t bytes, std::uint64_t moved);

 private:
  std::shared_ptr<progress_total> total_;
  std::mutex mutex_;
  std::uint64_t files_ = 0;  // announced, not done
  std::uint64_t bytes_ = 0;  // of them
  std::uint64_t moved_ = 0;  // of them
};

}  // namespace cohub::transfer
