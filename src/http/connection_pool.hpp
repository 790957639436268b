#pragma once

#include "core/url.hpp"
#include "http/lookup.hpp"
#include "http/proxy_settings.hpp"
#include "http/stream.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace cohub::http {

class connection_pool;
class shared_tls_context;

/// A connection in use. Going out of scope closes it and makes room for another, unless `give_back`
/// kept it for the next request.
class leased_connection {
 public:
  leased_connection() = default;
  leased_connection(leased_connection&&) noexcept = default;
  leased_connection& operator=(leased_connection&& other) noexcept;
  ~leased_connection();

  stream& operator*() const noexcept { return *stream_; }
  stream* operator->() const noexcept { return stream_.get(); }
  explicit operator bool() const noexcept { return stream_ != nullptr; }
  /// Whether it served a request before: the server may have closed it meanwhile.
  bool reused() const noexcept { return reused_; }
  /// Its place in line, by which a request that needs another connection comes before later ones.
  std::uint64_t ticket() const noexcept { return ticket_; }

  /// The proxy that gets the requests of this connection and hands them on; null where the target
  /// itself reads them, be it through a tunnel.
  const proxy* forwarded_by() const noexcept { return forwarder_; }

  /// The exchange is complete and the connection may carry another.
  void give_back();

 private:
  friend class connection_pool;
  void release() noexcept;

  std::shared_ptr<connection_pool> pool_{};
  core::origin origin_{};
  std::unique_ptr<stream> stream_{};
  const proxy* forwarder_ = nullptr;  // the pool's
  bool reused_ = false;
  std::uint64_t ticket_ = 0;
};

/// How many connections a pool holds, idle ones included.
struct pool_limits {
  std::size_t each_origin = 16;
  std::size_t all_origins = 64;  ///< at least `each_origin` hold, whatever this says
  /// Servers commonly close after 5 to 75 s of silence; a younger connection is most likely still
  /// open.
  std::chrono::milliseconds idle_lifetime{30'000};
};

/// Kept-alive connections, direct or by way of a proxy. Who comes when none is to be had waits in
/// line, and what becomes free goes straight to whoever has waited longest for it: nobody who comes
/// later gets there first. An idle connection makes way for one that is wanted, the one that was
/// idle longest first, whatever its origin.
class connection_pool : public std::enable_shared_from_this<connection_pool> {
 public:
  connection_pool(pool_limits limits, std::shared_ptr<shared_tls_context> tls,
                  proxy_settings proxies = {});
  ~connection_pool();

  /// An idle connection, or a new one.
  /// @param fresh          never an idle one: what must not be sent twice
  /// @param connect_limit  for resolving, connecting and handshaking; not for waiting in line
  /// @param ticket         of an earlier lease, whose place in line is kept
  awaitable<leased_connection> acquire(core::origin where, bool fresh,
                                       std::chrono::milliseconds connect_limit,
                                       std::optional<std::uint64_t> ticket = {});

  std::size_t open_connections() const noexcept;
  /// Closes what is idle.
  void clear() noexcept;

 private:
  friend class leased_connection;
  struct slot;
  struct place;
  struct waiter;

  const std::optional<proxy>& route_of(slot& here, const core::origin& where) const;
  slot& slot_of(const core::origin& where);
  void put_idle(const core::origin& where, std::unique_ptr<stream> idle);
  void leave(const core::origin& where) noexcept;
  std::unique_ptr<stream> take_idle(slot& here);
  bool may_claim(const slot& here) const noexcept;
  std::unique_ptr<stream> claim(slot& here, bool fresh);
  void serve_line() noexcept;
  void close_expired();
  bool close_oldest_idle();
  bool any_idle() const noexcept;
  awaitable<std::unique_ptr<stream>> wait_in_line(core::origin where, bool fresh,
                                                  std::uint64_t ticket);

  pool_limits limits_;
  std::shared_ptr<shared_tls_context> tls_;
  proxy_settings proxies_;
  std::unique_ptr<place> places_;
  std::shared_ptr<address_book> hosts_ = std::make_shared<address_book>();
  std::uint64_t next_ticket_ = 0;
};

}  // namespace cohub::http
