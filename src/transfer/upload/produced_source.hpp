#pragma once

#include "cohub/commit.hpp"

#include <cstddef>
#include <functional>
#include <span>

namespace cohub::transfer {

/// A source whose content is made by blocking steps. The spool of a commit runs them on the pool,
/// one job each, straight into its file: no piece is held, and no thread waits for another.
class produced_source : public upload_source {
 public:
  using output = std::function<void(std::span<const std::byte>)>;

  /// Blocks while it makes the next part of the content. False, and nothing, at the end. Called
  /// once at a time, not always on the same thread; what it throws ends the commit.
  virtual bool produce(const output& out) = 0;
};

}  // namespace cohub::transfer
