#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <unordered_map>

namespace cohub::io {
class signal;
}

namespace cohub::transfer {

/// What is being uploaded, by name: two commits that are prepared at the same time must not both
/// send what they have in common. Belongs to one executor.
class upload_claims {
 public:
  /// The right to upload one thing, until it is destroyed.
  class claim;
  using claim_ptr = std::shared_ptr<claim>;

  /// Null while another has the claim.
  static claim_ptr try_take(const std::shared_ptr<upload_claims>& self, const std::string& key,
                            asio::any_io_executor executor);
  /// Waits until nobody else has the claim.
  static awaitable<claim_ptr> take(std::shared_ptr<upload_claims> self, std::string key);

 private:
  std::unordered_map<std::string, std::shared_ptr<io::signal>> taken_{};  // and who waits for it
};

}  // namespace cohub::transfer
