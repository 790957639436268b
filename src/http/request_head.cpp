#include "http/request_head.hpp"

#include "cohub/error.hpp"

#include "http/trace_id.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>

#include <string_view>

namespace cohub::http {

namespace {

namespace beast = boost::beast;

void check_field(std::string_view text) {
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos)
    throw error(errc::invalid_argument, "a header field must not contain line breaks");
}

}  // namespace

std::string serialize_head(const request& what, const exchange_settings& settings,
                           const proxy* through) {
  beast::http::request<beast::http::empty_body> message;
  message.method_string(to_string(what.verb));
  check_field(what.url.target);
  message.target(through != nullptr ? what.url.text() : what.url.target);
  message.version(11);
  message.set(beast::http::field::host, what.url.origin.authority());
  check_field(settings.user_agent);
  message.set(beast::http::field::user_agent, settings.user_agent);
  check_field(settings.trace_id);
  message.set(trace_field, settings.trace_id);
  // Sizes and ranges count bytes as stored; a compressed answer would make both worthless.
  message.set(beast::http::field::accept_encoding, "identity");
  for (const auto* some : {&what.headers, &what.home_headers}) {
    for (const auto& [name, value] : *some) {
      check_field(name);
      check_field(value);
      message.set(name, value);
    }
  }
  if (through != nullptr && !through->authorization.empty())
    message.set(beast::http::field::proxy_authorization, through->authorization);
  if (what.body || what.verb == method::post || what.verb == method::put)
    message.content_length(what.body ? what.body->size() : 0);
  std::string head;
  beast::http::request_serializer<beast::http::empty_body> serializer(message);
  boost::system::error_code failure;
  while (!serializer.is_done() && !failure) {
    serializer.next(failure, [&](boost::system::error_code&, const auto& buffers) {
      for (auto it = beast::net::buffer_sequence_begin(buffers);
           it != beast::net::buffer_sequence_end(buffers); ++it) {
        const beast::net::const_buffer piece = *it;
        head.append(static_cast<const char*>(piece.data()), piece.size());
      }
      serializer.consume(beast::buffer_bytes(buffers));
    });
  }
  return head;
}

}  // namespace cohub::http
