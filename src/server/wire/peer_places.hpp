#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <map>

namespace cohub::server {

/// How many connections each address has: no single one may take the places of all others. This
/// machine's own may, since a proxy on it speaks for everybody.
class peer_places {
 public:
  explicit peer_places(std::size_t most) : most_(most) {}

  /// Counts one more; false, and it does not count, if the address has all that one may have.
  bool enter(const boost::asio::ip::address& peer) {
    auto& count = taken_[peer];
    if (count >= most_ && !is_here(peer)) return false;
    ++count;
    return true;
  }

  void leave(const boost::asio::ip::address& peer) {
    const auto found = taken_.find(peer);
    if (found != taken_.end() && --found->second == 0) taken_.erase(found);
  }

 private:
  /// Who listens on all addresses of IPv6 sees those of IPv4 as mapped ones.
  static bool is_here(const boost::asio::ip::address& peer) {
    using namespace boost::asio::ip;
    if (!peer.is_v6() || !peer.to_v6().is_v4_mapped()) return peer.is_loopback();
    return make_address_v4(v4_mapped, peer.to_v6()).is_loopback();
  }

  std::size_t most_;
  std::map<boost::asio::ip::address, std::size_t> taken_;
};

}  // namespace cohub::server
