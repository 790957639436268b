#pragma once

#include "cohub/awaitable.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace cohub::io {

/// Bounds what is in use at once: bytes of buffers, open files, requests in flight. Who comes later
/// waits in line, however little is asked for. Belongs to one executor.
class fair_semaphore {
 public:
  /// Units that are its holder's until the object goes.
  class permit {
   public:
    permit() = default;
    permit(permit&& other) noexcept;
    permit& operator=(permit&& other) noexcept;
    ~permit();

   private:
    friend class fair_semaphore;
    void give_back() noexcept;
    std::shared_ptr<fair_semaphore> owner_{};
    std::uint64_t units_ = 0;
  };

  explicit fair_semaphore(std::uint64_t units) : total_(units) {}

  /// Waits until `units` are free; more than there are is cut to all of them. Holders of a permit
  /// must not wait for another. Null bounds nothing.
  static awaitable<permit> acquire(std::shared_ptr<fair_semaphore> self, std::uint64_t units);

  /// The same without waiting: nothing if that would leave fewer than `spare` units free, or if
  /// others wait. For what is held without an end in sight.
  static std::optional<permit> try_acquire(std::shared_ptr<fair_semaphore> self,
                                           std::uint64_t units, std::uint64_t spare = 0);

  /// Sets how many units there are, at least 1. Of fewer than are out, none is to be had until so
  /// many have come back.
  void resize(std::uint64_t units) noexcept;

  std::uint64_t size() const noexcept { return total_; }
  std::uint64_t free_units() const noexcept { return out_ < total_ ? total_ - out_ : 0; }

 private:
  struct waiter;
  void wake() noexcept;

  std::uint64_t total_;
  std::uint64_t out_ = 0;
  std::deque<waiter*> line_{};
};

}  // namespace cohub::io
