#include "http/lookup.hpp"

#include "io/signal.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace cohub::http {

namespace {

using tcp = asio::ip::tcp;

constexpr std::chrono::minutes believed{1};

}  // namespace

/// One that is under way, and those who wait for it.
struct address_book::lookup {
  explicit lookup(asio::any_io_executor executor) : over(std::move(executor)) {}

  io::signal over;
  std::size_t waiting = 0;
  bool done = false;
  boost::system::error_code failure{};
  addresses found{};
  lookup_canceller cancel{};
};

/// Who waits. The last one to go before the outcome is there takes the lookup out of the book.
class address_book::seat {
 public:
  seat(std::shared_ptr<address_book> book, const host_and_port& whose,
       std::shared_ptr<lookup> pending)
      : book_(std::move(book)), whose_(whose), pending_(std::move(pending)) {
    ++pending_->waiting;
  }
  seat(seat&&) = delete;
  ~seat() {
    if (--pending_->waiting == 0 && !pending_->done) book_->known_.erase(whose_);
  }

 private:
  std::shared_ptr<address_book> book_;
  const host_and_port& whose_;
  std::shared_ptr<lookup> pending_;
};

lookup_starter system_lookup() {
  return [](asio::any_io_executor executor, const std::string& host, std::uint16_t port,
            addresses_handler handler) -> lookup_canceller {
    // Its going out of scope would cancel the lookup.
    auto resolver = std::make_shared<tcp::resolver>(std::move(executor));
    resolver->async_resolve(
        host, std::to_string(port), tcp::resolver::numeric_service,
        [resolver, handler = std::move(handler)](boost::system::error_code failure,
                                                 const tcp::resolver::results_type& results) {
          std::vector<tcp::endpoint> found;
          for (const auto& entry : results) found.push_back(entry.endpoint());
          handler(failure, std::move(found));
        });
    return [resolver] { resolver->cancel(); };
  };
}

void address_book::begin(const std::shared_ptr<address_book>& self, const host_and_port& whose,
                         const std::shared_ptr<lookup>& pending, asio::any_io_executor executor) {
  known_[whose].under_way = pending;
  addresses_handler handler = [pending, whose, book = std::weak_ptr(self)](
                                  boost::system::error_code code, addresses found) {
    if (pending->waiting == 0) return;
    pending->done = true;
    pending->failure = code;
    pending->found = std::move(found);
    pending->over.notify();
    const auto owner = book.lock();
    if (!owner) return;
    if (code) {
      owner->known_.erase(whose);
    } else {
      owner->known_[whose] = {{}, pending->found, clock::now() + believed};
    }
  };
  pending->cancel = start_(std::move(executor), whose.first, whose.second, std::move(handler));
}

void address_book::drop_outdated() {
  const auto now = clock::now();
  std::erase_if(known_, [now](const auto& one) {
    return one.second.until <= now && one.second.under_way.expired();
  });
}

awaitable<address_book::addresses> address_book::find(std::shared_ptr<address_book> self,
                                                      std::string host, std::uint16_t port) {
  addresses found;
  boost::system::error_code failure;
  const auto literal = asio::ip::make_address(host, failure);
  if (!failure) {
    found.emplace_back(literal, port);
    co_return found;
  }
  const auto executor = co_await asio::this_coro::executor;
  const host_and_port whose(std::move(host), port);
  self->drop_outdated();
  std::shared_ptr<lookup> pending;
  if (const auto known = self->known_.find(whose); known != self->known_.end()) {
    pending = known->second.under_way.lock();
    if (!pending) co_return known->second.found;
  }
  const bool is_first = !pending;
  if (is_first) pending = std::make_shared<lookup>(executor);
  const seat mine(self, whose, pending);
  if (is_first) self->begin(self, whose, pending, executor);
  try {
    while (!pending->done) co_await pending->over.wait();
  } catch (const boost::system::system_error&) {
    if (!pending->done && pending->waiting == 1) pending->cancel();
    throw;
  }
  if (pending->failure) throw boost::system::system_error(pending->failure);
  co_return pending->found;
}

}  // namespace cohub::http
