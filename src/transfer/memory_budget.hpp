#pragma once

#include "cohub/awaitable.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace cohub::transfer {

/// Bounds the bytes of transfer buffers that are in use at once. Who comes later waits in line.
/// Belongs to one executor.
class memory_budget : public std::enable_shared_from_this<memory_budget> {
 public:
  /// What a transfer may use until the object goes.
  class share {
   public:
    share() = default;
    share(share&& other) noexcept;
    share& operator=(share&& other) noexcept;
    ~share();

   private:
    friend class memory_budget;
    void give_back() noexcept;
    std::shared_ptr<memory_budget> budget_{};
    std::uint64_t bytes_ = 0;
  };

  explicit memory_budget(std::uint64_t bytes) : total_(bytes), free_(bytes) {}

  /// Waits until `bytes` are free; more than the whole budget is cut to the whole. Holders of a
  /// share must not wait for another.
  static awaitable<share> acquire(std::shared_ptr<memory_budget> budget, std::uint64_t bytes);

  /// The same without waiting: nothing if that would leave fewer than `spare` bytes free, or if
  /// others wait. For memory that is held without an end in sight.
  static std::optional<share> try_acquire(std::shared_ptr<memory_budget> budget,
                                          std::uint64_t bytes, std::uint64_t spare);

  std::uint64_t size() const noexcept { return total_; }
  std::uint64_t free_bytes() const noexcept { return free_; }

 private:
  struct waiter;
  void wake() noexcept;

  std::uint64_t total_;
  std::uint64_t free_;
  std::deque<waiter*> line_{};
};

}  // namespace cohub::transfer
