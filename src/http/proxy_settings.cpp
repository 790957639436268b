#include "http/proxy_settings.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "core/base64.hpp"
#include "core/byte_range.hpp"
#include "core/trim.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <cstdlib>

namespace cohub::http {

namespace {

namespace ip = boost::asio::ip;

std::optional<ip::address> address_in(const std::string& text) {
  boost::system::error_code failure;
  const auto address = ip::make_address(text, failure);
  if (failure) return {};
  return address;
}

/// Whether `host` is an address of the network "10.0.0.0/8" or "fd00::/8".
bool is_in_network(const std::string& host, const std::string& network) {
  const auto address = address_in(host);
  if (!address) return false;
  boost::system::error_code failure;
  if (address->is_v4()) {
    const auto range = ip::make_network_v4(network, failure);
    if (failure) return false;
    return ip::network_v4(address->to_v4(), range.prefix_length()).canonical() == range.canonical();
  }
  const auto range = ip::make_network_v6(network, failure);
  if (failure) return false;
  return ip::network_v6(address->to_v6(), range.prefix_length()).canonical() == range.canonical();
}

/// One entry of NO_PROXY, taken apart.
struct exemption {
  std::string host;
  std::optional<std::uint64_t> port;
  bool exact = false;  // written with a scheme: taken as it is
};

/// Nothing if the entry is about another scheme, or is none.
std::optional<exemption> parse_exemption(std::string_view text, const core::origin& target) {
  exemption result;
  std::string entry = core::lower(text);
  if (const auto mark = entry.find("://"); mark != entry.npos) {
    const auto scheme = entry.substr(0, mark);
    if (scheme != target.scheme && scheme != "all") return {};
    entry.erase(0, mark + 3);
    entry.resize(std::min(entry.find('/'), entry.size()));
    result.exact = true;
  }
  if (entry.starts_with('[')) {
    const auto end = entry.find(']');
    if (end == entry.npos) return {};
    result.host = entry.substr(1, end - 1);
    entry.erase(0, end + 1);
  } else if (std::count(entry.begin(), entry.end(), ':') > 1) {
    result.host = std::exchange(entry, {});  // an IPv6 address cannot carry a port without brackets
  } else {
    const auto end = std::min(entry.find(':'), entry.size());
    result.host = entry.substr(0, end);
    entry.erase(0, end);
  }
  if (!entry.empty()) {
    result.port = core::parse_decimal(std::string_view(entry).substr(1));
    if (!result.port) return {};
  }
  return result;
}

bool covers(const exemption& entry, const core::origin& target) {
  if (entry.port && *entry.port != target.port) return false;
  if (entry.host.find('/') != entry.host.npos) return is_in_network(target.host, entry.host);
  if (const auto address = address_in(entry.host)) return address_in(target.host) == address;
  if (entry.exact || entry.host == "localhost") return target.host == entry.host;
  std::string_view name = entry.host;
  if (name.starts_with('*')) name.remove_prefix(1);
  if (name.empty() || address_in(target.host)) return false;  // an address has no subdomains
  if (name.starts_with('.')) return target.host.size() > name.size() && target.host.ends_with(name);
  return target.host == name || (target.host.size() > name.size() && target.host.ends_with(name) &&
                                 target.host[target.host.size() - name.size() - 1] == '.');
}

bool is_exempt(std::string_view list, const core::origin& target) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    const auto item = core::trim(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (item == "*") return true;
    if (item.empty()) continue;
    const auto entry = parse_exemption(item, target);
    if (entry && covers(*entry, target)) return true;
  }
  return false;
}

}  // namespace

boost::system::result<proxy> parse_proxy(std::string_view text) {
  text = core::trim(text);
  if (const auto mark = text.find("://"); mark != text.npos) {
    if (core::lower(text.substr(0, mark)) != "http") return make_error_code(errc::invalid_url);
    text.remove_prefix(mark + 3);
  }
  proxy result;
  // The last '@': people write passwords as they are, with a '/' too.
  if (const auto at = text.rfind('@'); at != text.npos) {
    const auto user_info = text.substr(0, at);
    text.remove_prefix(at + 1);
    const auto colon = std::min(user_info.find(':'), user_info.size());
    const auto password = user_info.substr(std::min(colon + 1, user_info.size()));
    result.authorization =
        "Basic " + core::base64_encode(core::percent_decode(user_info.substr(0, colon)) + ':' +
                                       core::percent_decode(password));
  }
  text = text.substr(0, text.find_first_of("/?#"));
  const auto place = core::parse_url("http://" + std::string(text));
  if (!place) return place.error();
  result.origin = place->origin;
  return result;
}

proxy_settings read_proxy_settings(const std::function<const char*(const char*)>& variable) {
  const auto either = [&variable](const char* small, const char* big) -> std::string {
    if (const char* const value = variable(small)) return value;
    if (const char* const value = big != nullptr ? variable(big) : nullptr) return value;
    return {};
  };
  const bool is_cgi = variable("REQUEST_METHOD") != nullptr;
  proxy_settings settings;
  settings.http = either("http_proxy", is_cgi ? nullptr : "HTTP_PROXY");
  settings.https = either("https_proxy", "HTTPS_PROXY");
  settings.all = either("all_proxy", "ALL_PROXY");
  settings.bypass = either("no_proxy", "NO_PROXY");
  return settings;
}

proxy_settings read_proxy_settings() {
  return read_proxy_settings([](const char* name) -> const char* { return std::getenv(name); });
}

boost::system::result<std::optional<proxy>> choose_proxy(const proxy_settings& settings,
                                                         const core::origin& target) {
  const auto& own = target.secure() ? settings.https : settings.http;
  const auto& chosen = own.empty() ? settings.all : own;
  if (chosen.empty() || is_exempt(settings.bypass, target)) return std::optional<proxy>();
  const auto found = parse_proxy(chosen);
  if (!found) return found.error();
  return std::optional<proxy>(*found);
}

}  // namespace cohub::http
