#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cohub::http {

/// Told once what a host's addresses are.
using addresses_handler =
    std::function<void(boost::system::error_code, std::vector<asio::ip::tcp::endpoint>)>;

/// Tells a lookup that nobody waits for it any more.
using lookup_canceller = std::function<void()>;

/// Starts to look up a host, and tells the handler on that executor, however late.
using lookup_starter =
    std::function<lookup_canceller(asio::any_io_executor executor, const std::string& host,
                                   std::uint16_t port, addresses_handler handler)>;

/// The system's resolver: Asio's, whose thread is inside getaddrinfo for as long as that takes.
lookup_starter system_lookup();

/// Addresses of hosts. Who asks for a host that is being looked up waits for that lookup, and what
/// it found is remembered for a minute: the resolver has one thread, where connections would else
/// stand in line. Belongs to one executor.
class address_book {
 public:
  using addresses = std::vector<asio::ip::tcp::endpoint>;

  explicit address_book(lookup_starter start = system_lookup()) : start_(std::move(start)) {}

  /// A literal address needs no resolver. Cancellation ends the waiting at once, since a name
  /// server that does not answer cannot be interrupted. Once nobody waits any more, what it says is
  /// dropped, and a lookup that waits for the resolver's thread is taken out of its line.
  /// @throws boost::system::system_error  of the resolver
  static awaitable<addresses> find(std::shared_ptr<address_book> self, std::string host,
                                   std::uint16_t port);

  /// None of these addresses answered: the next to ask has the host looked up anew.
  void forget(const std::string& host, std::uint16_t port) { known_.erase({host, port}); }

 private:
  using clock = std::chrono::steady_clock;
  using host_and_port = std::pair<std::string, std::uint16_t>;
  struct lookup;
  class seat;

  struct entry {
    std::weak_ptr<lookup> under_way{};  // kept by who waits for it
    addresses found{};
    clock::time_point until{};  // what was found is believed
  };

  void begin(const std::shared_ptr<address_book>& self, const host_and_port& whose,
             const std::shared_ptr<lookup>& pending, asio::any_io_executor executor);
  void drop_outdated();

  lookup_starter start_;
  std::map<host_and_port, entry> known_{};
};

}  // namespace cohub::http
