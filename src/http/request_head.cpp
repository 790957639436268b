#include "http/request_head.hpp"

#include "cohub/error.hpp"

#include "http/trace_id.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace cohub::http {

namespace {

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
  sent.set("Host", what.url.origin.authority());
  sent.set("User-Agent", settings.user_agent);
  sent.set(trace_field, settings.trace_id);
  // Sizes and ranges count bytes as stored; a compressed answer would make both worthless.
  sent.set("Accept-Encoding", "identity");
  for (const auto* some : {&what.headers, &what.home_headers})
    for (const auto& [name, value] : *some) sent.set(name, value);
  // The body goes as it is, whatever the headers say that an upload's answer asked for: two
  // tellings of where it ends would let somebody on the way read another request into it.
  sent.erase("Transfer-Encoding");
  if (through != nullptr && !through->authorization.empty())
    sent.set("Proxy-Authorization", through->authorization);
  if (what.body || what.verb == method::post || what.verb == method::put)
    sent.set("Content-Length", std::to_string(what.body ? what.body->size() : 0));

  const auto target = through != nullptr ? what.url.text() : what.url.target;
  check_line(target);
  std::string head(to_string(what.verb));
  head.append(" ").append(target).append(" HTTP/1.1\r\n");
  for (const auto& [name, value] : sent) {
    check_line(name);
    check_line(value);
    head.append(name).append(": ").append(value).append("\r\n");
  }
  return head.append("\r\n");
}

}  // namespace cohub::http
