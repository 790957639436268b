#pragma once

#include "core/url.hpp"

#include <boost/system/result.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cohub::http {

/// An HTTP proxy and what it wants to hear. The credential is for the proxy alone: it is neither
/// printed nor sent to anybody else.
struct proxy {
  core::origin origin{};
  std::string authorization{};  ///< "Basic ...", empty without a user in the url

  /// "host:port": safe to print.
  std::string name() const { return core::host_and_port(origin); }
  friend bool operator==(const proxy&, const proxy&) = default;
};

/// Reads "http://user:password@host:port": the scheme may be missing, user and password are
/// percent-decoded, the port is 80 unless given.
/// @return errc::invalid_url for everything else, proxies spoken to by TLS or SOCKS among it
boost::system::result<proxy> parse_proxy(std::string_view text);

/// The proxies that an environment names, unparsed: a value that is never used harms nobody.
struct proxy_settings {
  std::string http{};    ///< for http targets
  std::string https{};   ///< for https targets
  std::string all{};     ///< for targets without a proxy of their scheme's own
  std::string bypass{};  ///< NO_PROXY: a comma list of targets that are reached directly
};

/// `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`. The lower-case name decides where it is
/// set, even to nothing; upper-case `HTTP_PROXY` is not believed in a CGI program, whose callers
/// choose it by a "Proxy" header (hub-protocol, section 1.1; Python's getproxies_environment).
/// @param variable  the value of a variable, null if unset
proxy_settings read_proxy_settings(const std::function<const char*(const char*)>& variable);
proxy_settings read_proxy_settings();

/// The whole choice: nothing where `target` is reached directly. In NO_PROXY, "*" turns all proxies
/// off, "example.com" covers subdomains too and ".example.com" only those; addresses and
/// "localhost" match exactly, networks ("10.0.0.0/8") by their prefix; a port or scheme limits an
/// entry to it.
/// @return errc::invalid_url if the proxy chosen has no valid url
boost::system::result<std::optional<proxy>> choose_proxy(const proxy_settings& settings,
                                                         const core::origin& target);

}  // namespace cohub::http
