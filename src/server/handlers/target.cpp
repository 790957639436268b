#include "server/handlers/target.hpp"

#include "core/ascii.hpp"
#include "core/environment.hpp"
#include "core/url.hpp"
#include "hub/utf8.hpp"
#include "server/failure.hpp"

#include <algorithm>

namespace cohub::server {

namespace {

void check_escapes(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '%' && (i + 2 >= text.size() || !core::is_hex_digit(text[i + 1]) ||
                           !core::is_hex_digit(text[i + 2])))
      throw bad_request("Malformed percent escape in the url");
}

std::string decoded(std::string_view segment) {
  std::string text = core::percent_decode(segment);
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    throw bad_request("Control character in the url");
  if (hub::find_invalid_utf8(text)) throw bad_request("The url is not UTF-8");
  return text;
}

}  // namespace

std::vector<std::string> path_segments(std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  check_escapes(path);
  if (!path.starts_with('/')) throw bad_request("The request target is not a path");
  path.remove_prefix(1);
  std::vector<std::string> segments;
  for (;;) {
    const auto slash = path.find('/');
    segments.push_back(decoded(path.substr(0, slash)));
    if (slash == path.npos) break;
    path.remove_prefix(slash + 1);
  }
  return segments;
}

std::string replace_segments(std::string_view target, std::size_t first, std::size_t count,
                             std::string_view text) {
  const std::size_t path_end = std::min(target.find('?'), target.size());
  const auto skip = [&](std::size_t at, std::size_t segments) {
    for (; segments > 0 && at < path_end; --segments)
      at = std::min(target.find('/', at + 1), path_end);
    return at;
  };
  const std::size_t begin = skip(0, first);
  const std::size_t end = skip(begin, count);
  std::string result(target.substr(0, begin));
  result += '/';
  result += text;
  result += target.substr(end);
  return result;
}

std::string query_of(std::string_view target) {
  const auto question = target.find('?');
  if (question == target.npos) return {};
  const std::string_view query = target.substr(question + 1);
  check_escapes(query);
  return std::string(query);
}

bool query_flag(std::string_view query, std::string_view key) {
  return core::is_true(core::query_value(query, key));
}

std::vector<std::string> query_values(std::string_view query, std::string_view key) {
  std::vector<std::string> values;
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == query.npos ? std::string_view() : query.substr(end + 1);
    std::string name = core::percent_decode(pair.substr(0, pair.find('=')));
    if (name.ends_with("[]")) name.resize(name.size() - 2);
    if (name == key)
      values.push_back(
          core::query_value(pair, core::percent_decode(pair.substr(0, pair.find('=')))));
  }
  return values;
}

}  // namespace cohub::server
