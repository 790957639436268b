#pragma once

#include "cohub/awaitable.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

namespace cohub::io {
class signal;
}

namespace cohub::transfer {

/// What is on its way, by name: two commits that are prepared at the same time must not both send
/// what they have in common, nor two snapshots both fetch it. Belongs to one executor.
class transfer_claims {
 public:
  /// The right to move one thing, until it is destroyed.
  class claim;
  using claim_ptr = std::shared_ptr<claim>;

  /// Null while another has the claim.
  static claim_ptr try_take(const std::shared_ptr<transfer_claims>& self, const std::string& key);
  /// Waits until nobody else has the claim.
  static awaitable<claim_ptr> take(std::shared_ptr<transfer_claims> self, std::string key);
  /// Notes that what is claimed has arrived.
  static void arrived(const claim& mine);

  /// How many things have arrived so far.
  std::uint64_t arrivals() const noexcept { return history_.arrivals; }
  /// Whether something has arrived after the first so many; only of the last few thousand, and by
  /// a hash, so that who hears yes looks for it.
  bool may_have_arrived_since(std::uint64_t first, const std::string& key) const;

 private:
  // Null: nobody waits for it.
  std::unordered_map<std::string, std::shared_ptr<io::signal>> taken_{};
  struct history {
    std::uint64_t arrivals = 0;
    std::unordered_map<std::size_t, std::uint64_t> recent{};  // which arrival, by the key's hash
    std::deque<std::size_t> order{};                          // of the hashes
  };
  history history_{};
};

}  // namespace cohub::transfer
