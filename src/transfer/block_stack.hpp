#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace cohub::transfer {

/// Buffers that jobs of the pool borrow while they run, so that there are no more of them than
/// threads, whatever is in flight; the one used last goes out first, while the processor still has
/// it in its cache. From any thread.
class block_stack {
 public:
  static constexpr std::size_t block_size = 512 * 1024;

  /// @param limit  blocks out at once, at least 1: who comes later waits for one, blocking
  explicit block_stack(std::size_t limit) : limit_(limit == 0 ? 1 : limit) {}

  class block {
   public:
    block(block_stack& owner, std::unique_ptr<std::byte[]> bytes)
        : owner_(owner), bytes_(std::move(bytes)) {}
    block(block&&) = delete;
    ~block() { owner_.give_back(std::move(bytes_)); }
    std::span<std::byte> bytes() const noexcept { return {bytes_.get(), block_size}; }

   private:
    block_stack& owner_;
    std::unique_ptr<std::byte[]> bytes_;
  };

  block take();

 private:
  void give_back(std::unique_ptr<std::byte[]> bytes) noexcept;

  std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::size_t out_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> idle_{};
};

}  // namespace cohub::transfer
