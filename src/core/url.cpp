#include "core/url.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "core/byte_range.hpp"

#include <boost/url.hpp>

#include <algorithm>
#include <array>

namespace cohub::core {

namespace {

namespace urls = boost::urls;

constexpr std::size_t length_limit = 64 * 1024;

bool is_unreserved(char c) noexcept {
  return is_alphanumeric(c) || c == '_' || c == '.' || c == '-' || c == '~';
}

void append_escape(std::string& text, char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  text += '%';
  text += digits[static_cast<unsigned char>(c) >> 4];
  text += digits[static_cast<unsigned char>(c) & 15];
}

/// What RFC 3986 wants escaped wherever it stands. A table: every byte of every url is looked up.
constexpr auto may_not_be_raw = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view(" \"<>\\^`{|}")) table[static_cast<unsigned char>(c)] = true;
  for (std::size_t code = 0x7f; code < table.size(); ++code) table[code] = true;
  return table;
}();

/// Escapes what servers leave raw in a Location although RFC 3986 does not allow it; control
/// characters are refused.
boost::system::result<std::string> tolerate(std::string_view text) {
  if (text.size() > length_limit) return make_error_code(errc::invalid_url);
  const auto query = std::min(text.find('?'), text.size());  // before it, brackets hold a host
  std::string strict;
  strict.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f) return make_error_code(errc::invalid_url);
    const bool stray_percent = c == '%' && (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 ||
                                            hex_value(text[i + 2]) < 0);
    const bool is_bracket = (c == '[' || c == ']') && i > query;
    if (may_not_be_raw[code] || stray_percent || is_bracket)
      append_escape(strict, c);
    else
      strict += c;
  }
  return strict;
}

boost::system::result<url> from_view(const urls::url_view& view) {
  url result;
  const auto scheme = view.scheme_id();
  if (scheme != urls::scheme::http && scheme != urls::scheme::https)
    return make_error_code(errc::invalid_url);
  result.origin.scheme = scheme == urls::scheme::https ? "https" : "http";
  result.origin.host = lower(view.host_address());
  if (result.origin.host.empty()) return make_error_code(errc::invalid_url);
  // What was percent-encoded may mean something else where the host is written again.
  const bool literal = view.host_type() == urls::host_type::ipv6;
  if (std::any_of(result.origin.host.begin(), result.origin.host.end(), [literal](char c) {
        const auto code = static_cast<unsigned char>(c);
        return code <= 0x20 || code == 0x7f || (c == ':' && !literal) ||
               std::string_view("/\\?#@[]").find(c) != std::string_view::npos;
      }))
    return make_error_code(errc::invalid_url);
  result.origin.port = result.origin.secure() ? 443 : 80;
  if (view.has_port() && !view.port().empty()) {
    const auto port = parse_decimal({view.port().data(), view.port().size()});
    if (!port || *port == 0 || *port > 65535) return make_error_code(errc::invalid_url);
    result.origin.port = static_cast<std::uint16_t>(*port);
  }
  // Not encoded_target(): in Boost 1.81 its assertion fails for some urls that were resolved.
  const auto path = view.encoded_path();
  result.target.assign(path.data(), path.size());
  while (result.target.starts_with("/../"))
    result.target.erase(0, 3);  // above the root is the root
  if (view.has_query()) {
    const auto query = view.encoded_query();
    result.target += '?';
    result.target.append(query.data(), query.size());
  }
  if (!result.target.starts_with('/')) result.target.insert(0, 1, '/');
  return result;
}

/// RFC 3986, section 5.2.4, of an absolute path. Escapes stay what they are: a "%2F" is no "/", and
/// a signature may be over this very text.
std::string without_dot_segments(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const auto end = std::min(path.find('/', 1), path.size());
    const auto segment = path.substr(1, end - 1);
    const bool is_last = end == path.size();
    if (segment == "..") result.resize(result.empty() ? 0 : result.rfind('/'));
    if (segment != "." && segment != "..")
      result += path.substr(0, end);
    else if (is_last)
      result += '/';
    path.remove_prefix(end);
  }
  return result;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

}  // namespace

std::string host_and_port(const origin& where) {
  return bracketed(where.host) + ':' + std::to_string(where.port);
}

std::string origin::authority() const {
  const bool is_default = port == (secure() ? 443 : 80);
  return is_default ? bracketed(host) : host_and_port(*this);
}

std::string url::text() const { return origin.scheme + "://" + origin.authority() + target; }

std::string url::printable() const {
  return origin.scheme + "://" + origin.authority() + std::string(path());
}

std::string_view url::path() const noexcept {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view url::query() const noexcept {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string_view{} : std::string_view(target).substr(mark + 1);
}

boost::system::result<url> parse_url(std::string_view text) {
  const auto strict = tolerate(text);
  if (!strict) return strict.error();
  const auto view = urls::parse_uri(*strict);
  if (!view) return make_error_code(errc::invalid_url);
  return from_view(*view);
}

boost::system::result<url> resolve_url(const url& base, std::string_view reference) {
  const auto strict = tolerate(reference);
  if (!strict) return strict.error();
  const auto given = urls::parse_uri_reference(*strict);
  if (!given) return make_error_code(errc::invalid_url);
  // Not urls::resolve(): it decodes escapes.
  url target = base;
  if (given->has_scheme() || given->has_authority()) {
    const auto absolute =
        parse_url(given->has_scheme() ? *strict : base.origin.scheme + ':' + *strict);
    if (!absolute) return absolute.error();
    target = *absolute;
  } else {
    const std::string_view path(given->encoded_path().data(), given->encoded_path().size());
    std::string_view folder = base.path();
    folder = folder.substr(0, folder.rfind('/') + 1);
    std::string query;
    if (given->has_query())
      query.assign(given->encoded_query().data(), given->encoded_query().size());
    if (path.empty() && !given->has_query()) return target;
    if (path.starts_with('/'))
      target.target = path;
    else if (path.empty())
      target.target = std::string(base.path());
    else
      target.target = std::string(folder) + std::string(path);
    if (given->has_query()) target.target += '?' + query;
  }
  const auto mark = std::min(target.target.find('?'), target.target.size());
  target.target = without_dot_segments(std::string_view(target.target).substr(0, mark)) +
                  target.target.substr(mark);
  if (!target.target.starts_with('/')) target.target.insert(0, 1, '/');
  return target;
}

boost::system::result<url> redirect_target(const url& base, std::string_view reference) {
  auto target = resolve_url(base, reference);
  if (target && base.origin.secure() && !target->origin.secure())
    return make_error_code(errc::invalid_url);
  return target;
}

std::string percent_encode(std::string_view text, std::string_view keep) {
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c) || keep.find(c) != keep.npos)
      encoded += c;
    else
      append_escape(encoded, c);
  }
  return encoded;
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    decoded += text[i];
  }
  return decoded;
}

std::string query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto item = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(item.find('='), item.size());
    if (percent_decode(item.substr(0, equals)) != key) continue;
    std::string value(item.substr(std::min(equals + 1, item.size())));
    std::replace(value.begin(), value.end(), '+', ' ');
    return percent_decode(value);
  }
  return {};
}

}  // namespace cohub::core
