#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace cohub::core {

/// Scheme, host and port: what may share connections and a token.
struct origin {
  std::string scheme{};  ///< "http" or "https"
  std::string host{};    ///< lower case; an IPv6 address without brackets
  std::uint16_t port = 0;

  bool secure() const noexcept { return scheme == "https"; }
  /// "host:port", the port left out where it is the scheme's own, IPv6 in brackets: a Host header.
  std::string authority() const;
  friend bool operator==(const origin&, const origin&) = default;
  friend auto operator<=>(const origin&, const origin&) = default;
};

/// "host:port" with the port even where it is the scheme's own, IPv6 in brackets.
std::string host_and_port(const origin& where);

/// An absolute http or https url, without user info and fragment.
struct url {
  core::origin origin{};
  std::string target = "/";  ///< path and query, percent-encoded: what stands in the request line

  std::string text() const;
  /// Without the query: safe to print, since signatures are in the query.
  std::string printable() const;
  std::string_view path() const noexcept;
  std::string_view query() const noexcept;  ///< without '?'
  friend bool operator==(const url&, const url&) = default;
};

/// Refuses everything but absolute http and https urls: errc::invalid_url.
boost::system::result<url> parse_url(std::string_view text);

/// Resolves what a Location or Link header holds against the url it came from (RFC 3986, section
/// 5).
boost::system::result<url> resolve_url(const url& base, std::string_view reference);

/// The same for where a server sends a client on: from https only to https, so that nobody on the
/// way gets to choose what is read.
boost::system::result<url> redirect_target(const url& base, std::string_view reference);

/// Percent-encodes everything but the unreserved characters A-Z a-z 0-9 _ . - ~ and those in
/// `keep`.
std::string percent_encode(std::string_view text, std::string_view keep = {});
/// Decodes %XX; a stray '%' stays. '+' is not a space here.
std::string percent_decode(std::string_view text);

/// The value of `key` in an encoded query, decoded ('+' is a space); empty if absent.
std::string query_value(std::string_view query, std::string_view key);

}  // namespace cohub::core
