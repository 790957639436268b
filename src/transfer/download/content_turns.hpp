#pragma once

#include "cohub/awaitable.hpp"

#include "io/fair_semaphore.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace cohub::transfer {

/// The right to have one request for content going, of all files of a client: as many at once as
/// the servers bear. Where one refuses a request there are fewer, and one more again after each
/// round of answers. Belongs to the client's executor.
class content_turns {
 public:
  explicit content_turns(std::size_t most);

  /// One request's right, until the object goes. Without one, nothing is held.
  class turn {
   public:
    turn() = default;

   private:
    friend class content_turns;
    turn(io::fair_semaphore::permit permit, std::uint64_t burst)
        : permit_(std::move(permit)), burst_(burst) {}
    io::fair_semaphore::permit permit_{};
    std::uint64_t burst_ = none;
  };

  /// Waits in line for it.
  static awaitable<turn> take(std::shared_ptr<content_turns> self);
  /// The same without waiting; nothing if others wait.
  static std::optional<turn> try_take(const std::shared_ptr<content_turns>& self);

  /// An answer with content has begun.
  void answered() noexcept;
  /// Content has come.
  void moved() noexcept { ++activity_; }
  /// Tells whether anything came between two looks.
  std::uint64_t activity() const noexcept { return activity_; }

  /// The server refused the request as one too many: 429, 503, or a connection that it closed
  /// without a word. What others met that were under way at the same time counts once.
  void refused(const turn& of) noexcept;
  /// How many may be out.
  std::size_t allowed() const noexcept { return static_cast<std::size_t>(permits_->size()); }

 private:
  static constexpr std::uint64_t none = ~std::uint64_t{0};

  std::size_t most_;
  std::shared_ptr<io::fair_semaphore> permits_;
  std::uint64_t burst_ = 0;     // refusals that counted
  std::size_t answered_ = 0;    // since the number changed
  std::uint64_t activity_ = 0;  // answers and pieces of content
};

}  // namespace cohub::transfer
