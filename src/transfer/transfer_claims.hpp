#pragma once

#include "cohub/awaitable.hpp"

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
  /// Waits until nobody else has the claim; null if another has it, and says that it has arrived.
  static awaitable<claim_ptr> take(std::shared_ptr<transfer_claims> self, std::string key);
  /// Says that what is claimed has arrived. As long as the claim lives nobody moves it again, and
  /// nobody waits for it.
  static void arrived(const claim& mine) noexcept;

 private:
  struct taken {
    std::shared_ptr<io::signal> given_up{};  // null: nobody waits for it
    bool has_arrived = false;
  };
  std::unordered_map<std::string, taken> taken_{};
};

}  // namespace cohub::transfer
