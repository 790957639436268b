#pragma once

#include <chrono>
#include <cstddef>

namespace cohub::transfer {

/// How many files go into a commit: more while commits are fast, fewer when they are slow or fail
/// (hub-protocol, section 8.1).
class commit_size {
 public:
  std::size_t files() const noexcept;
  /// A commit of so many files was made.
  void made(std::size_t files, std::chrono::steady_clock::duration took) noexcept;
  /// One of so many files failed: the next ones are smaller. Whether it may be made in halves.
  bool failed(std::size_t files) noexcept;

 private:
  std::size_t step_ = 6;
};

}  // namespace cohub::transfer
