#include "http/request_head.hpp"

#include "cohub/error.hpp"

#include "http/trace_id.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace cohub::http {

namespace {

/// One with a colon in it would be another field.
void check_name(std::string_view name) {
  if (!is_field_name(name))
    throw error(errc::invalid_argument, "the name of a header field has characters of none");
}

/// Whoever chose the text must not get to write another line of the head.
void check_line(std::string_view text) {
  const bool breaks = std::any_of(text.begin(), text.end(),
                                  [](char c) { return c == '\r' || c == '\n' || c == 0; });
  if (breaks) throw error(errc::invalid_argument, "a header field must not contain line breaks");
}

}  // namespace

std::string serialize_head(const request& what, const exchange_settings& settings,
                           const proxy* through) {
  fields sent;
  sent.set("User-Agent", settings.user_agent);
  sent.set(trace_field, settings.trace_id);
  // Sizes and ranges count bytes as stored; a compressed answer would make both worthless.
  sent.set("Accept-Encoding", "identity");
  for (const auto* some : {&what.headers, &what.home_headers})
    for (const auto& [name, value] : *some) sent.set(name, value);
  // Whatever the headers say that an upload's answer asked for, the request goes to the host of its
  // address, and the body as it is: two tellings of where it ends would let somebody on the way
  // read another request into it.
  for (const auto* told_below : {"Host", "Transfer-Encoding", "Content-Length"})
    sent.erase(told_below);
  if (through != nullptr && !through->authorization.empty())
    sent.set("Proxy-Authorization", through->authorization);
  if (what.body || what.verb == method::post || what.verb == method::put)
    sent.set("Content-Length", std::to_string(what.body ? what.body->size() : 0));

  const auto target = through != nullptr ? what.url.text() : what.url.target;
  check_line(target);
  std::string head(to_string(what.verb));
  head.append(" ").append(target).append(" HTTP/1.1\r\n");
  head.append("Host: ").append(what.url.origin.authority()).append("\r\n");
  for (const auto& [name, value] : sent) {
    check_name(name);
    check_line(value);
    head.append(name).append(": ").append(value).append("\r\n");
  }
  return head.append("\r\n");
}

}  // namespace cohub::http
