#include "transfer/transfer_claims.hpp"

#include "io/signal.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace cohub::transfer {

class transfer_claims::claim {
 public:
  claim(std::shared_ptr<transfer_claims> of, const std::string& key)
      : of_(std::move(of)), key_(&key) {}
  claim(claim&&) = delete;
  ~claim() {
    auto mine = of_->taken_.extract(*key_);
    wake(mine.mapped());
  }

  void arrived() const noexcept {
    auto& mine = of_->taken_.find(*key_)->second;
    mine.has_arrived = true;
    wake(mine);
  }

 private:
  static void wake(taken& entry) noexcept {
    if (entry.given_up) entry.given_up->notify();
  }

  std::shared_ptr<transfer_claims> of_;
  const std::string* key_;  // of the table
};

transfer_claims::claim_ptr transfer_claims::try_take(const std::shared_ptr<transfer_claims>& self,
                                                     const std::string& key) {
  const auto [place, is_free] = self->taken_.try_emplace(key);
  return is_free ? std::make_shared<claim>(self, place->first) : claim_ptr();
}

awaitable<transfer_claims::claim_ptr> transfer_claims::take(std::shared_ptr<transfer_claims> self,
                                                            std::string key) {
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    auto mine = try_take(self, key);
    auto& entry = self->taken_.at(key);
    if (mine || entry.has_arrived) co_return mine;
    if (!entry.given_up) entry.given_up = std::make_shared<io::signal>(executor);
    const auto awaited = entry.given_up;
    co_await awaited->wait();
  }
}

void transfer_claims::arrived(const claim& mine) noexcept { mine.arrived(); }

}  // namespace cohub::transfer
