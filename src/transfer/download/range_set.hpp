#pragma once

#include "core/byte_range.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace cohub::transfer {

/// A set of bytes, kept as ranges that neither overlap nor touch.
class range_set {
 public:
  void add(core::byte_range range);
  void clear() noexcept { ends_.clear(); }

  bool empty() const noexcept { return ends_.empty(); }
  /// How many bytes are in it.
  std::uint64_t count() const noexcept;
  /// The first byte from `begin` on that is not in it.
  std::uint64_t end_of_run(std::uint64_t begin) const noexcept;
  /// What of that range is not in it, in order.
  std::vector<core::byte_range> missing(core::byte_range within) const;
  std::vector<core::byte_range> ranges() const;

 private:
  std::map<std::uint64_t, std::uint64_t> ends_;  // by beginning
};

}  // namespace cohub::transfer
