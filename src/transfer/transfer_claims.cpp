#include "transfer/transfer_claims.hpp"

#include "io/signal.hpp"

#include <boost/asio/this_coro.hpp>

#include <functional>
#include <utility>

namespace cohub::transfer {

namespace {

/// More than the files that a snapshot may have looked for and not fetched yet.
constexpr std::size_t recent_limit = 8192;

}  // namespace

class transfer_claims::claim {
 public:
  claim(std::shared_ptr<transfer_claims> of, const std::string& key)
      : of_(std::move(of)), key_(&key) {}
  claim(claim&&) = delete;
  ~claim() {
    const auto mine = of_->taken_.extract(*key_);
    if (const auto& waited_for = mine.mapped()) waited_for->notify();
  }

  void arrived() const {
    const auto hash = std::hash<std::string>()(*key_);
    auto& [arrivals, recent, order] = of_->history_;
    order.push_back(hash);
    recent[hash] = arrivals++;
    if (order.size() <= recent_limit) return;
    const auto oldest = recent.find(order.front());
    if (oldest->second + order.size() == arrivals) recent.erase(oldest);  // it did not come again
    order.pop_front();
  }

 private:
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
    if (mine) co_return mine;
    auto& given_up = self->taken_.at(key);
    if (!given_up) given_up = std::make_shared<io::signal>(executor);
    const auto awaited = given_up;
    co_await awaited->wait();
  }
}

void transfer_claims::arrived(const claim& mine) { mine.arrived(); }

bool transfer_claims::may_have_arrived_since(std::uint64_t first, const std::string& key) const {
  const auto found = history_.recent.find(std::hash<std::string>()(key));
  return found != history_.recent.end() && found->second >= first;
}

}  // namespace cohub::transfer
