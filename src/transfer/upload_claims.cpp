#include "transfer/upload_claims.hpp"

#include "io/signal.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace cohub::transfer {

class upload_claims::claim {
 public:
  claim(std::shared_ptr<upload_claims> of, std::string key)
      : of_(std::move(of)), key_(std::move(key)) {}
  claim(claim&&) = delete;
  ~claim() {
    const auto mine = of_->taken_.extract(key_);
    mine.mapped()->notify();
  }

 private:
  std::shared_ptr<upload_claims> of_;
  std::string key_;
};

upload_claims::claim_ptr upload_claims::try_take(const std::shared_ptr<upload_claims>& self,
                                                 const std::string& key,
                                                 asio::any_io_executor executor) {
  if (self->taken_.contains(key)) return {};
  self->taken_.emplace(key, std::make_shared<io::signal>(std::move(executor)));
  return std::make_shared<claim>(self, key);
}

awaitable<upload_claims::claim_ptr> upload_claims::take(std::shared_ptr<upload_claims> self,
                                                        std::string key) {
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    auto mine = try_take(self, key, executor);
    if (mine) co_return mine;
    const auto given_up = self->taken_.at(key);
    co_await given_up->wait();
  }
}

}  // namespace cohub::transfer
