#pragma once

#include "core/url.hpp"
#include "http/proxy_settings.hpp"
#include "http/stream.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>

namespace cohub::http {

class connection_pool;

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
};

/// Kept-alive connections, direct or by way of a proxy, at most `limit` to one origin; who comes
/// later waits in line.
class connection_pool : public std::enable_shared_from_this<connection_pool> {
 public:
  connection_pool(std::size_t limit, std::filesystem::path ca_file, proxy_settings proxies = {});
  ~connection_pool();

  /// An idle connection, or a new one.
  /// @param fresh          never an idle one: what must not be sent twice
  /// @param connect_limit  for resolving, connecting and handshaking; not for waiting in line
  awaitable<leased_connection> acquire(core::origin where, bool fresh,
                                       std::chrono::milliseconds connect_limit);

  std::size_t open_connections() const noexcept;
  /// Closes what is idle.
  void clear() noexcept;

 private:
  friend class leased_connection;
  struct slot;
  struct place;

  const std::optional<proxy>& route_of(slot& here, const core::origin& where) const;
  slot& slot_of(const core::origin& where);
  void put_idle(const core::origin& where, std::unique_ptr<stream> idle);
  void leave(const core::origin& where) noexcept;
  std::unique_ptr<stream> take_idle(slot& here);
  awaitable<void> wait_in_line(core::origin where);

  std::size_t limit_;
  std::filesystem::path ca_file_;
  proxy_settings proxies_;
  std::shared_ptr<asio::ssl::context> tls_;  // made by the first https connection
  std::unique_ptr<place> places_;
};

}  // namespace cohub::http
