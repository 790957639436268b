#pragma once

#include "cohub/awaitable.hpp"

#include "core/url.hpp"
#include "http/proxy_settings.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace cohub::http {

/// Throws errc::proxy_failure: the proxy cannot be reached, or does not answer as one does.
[[noreturn]] void fail_proxy(const proxy& through, const core::origin& target,
                             const std::string& reason);
/// Throws errc::proxy_failure with the `status` by which the proxy refused to reach `target`.
[[noreturn]] void fail_proxy(const proxy& through, const core::origin& target, int status);

/// The status of a CONNECT answer whose head is `head`; nothing if it is not HTTP/1.
std::optional<int> connect_status(std::string_view head) noexcept;

/// Asks the proxy at the other end of `socket` for a tunnel to `target`; afterwards the socket is
/// the target's. The answer's head is bounded to 16 KiB. `socket` is lent: the caller awaits in the
/// scope that owns it.
/// @throws error  errc::proxy_failure, with the status of the proxy's refusal
awaitable<void> open_tunnel(asio::ip::tcp::socket& socket, proxy through, core::origin target);

}  // namespace cohub::http
