#pragma once

#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <span>
#include <string_view>

/// What reading an answer's head and reading its body share.
namespace cohub::http {

using answer_parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;

/// The most bytes of a head, and of what stands between the chunks of a body.
inline constexpr std::size_t head_limit = 64 * 1024;
inline constexpr std::size_t head_read = 32 * 1024;

inline std::string_view text_of(const boost::beast::flat_buffer& bytes) {
  return {static_cast<const char*>(bytes.data().data()), bytes.size()};
}

/// Room at the end, for one read.
inline std::span<std::byte> room_in(boost::beast::flat_buffer& ahead) {
  const auto space = ahead.prepare(head_read);
  return {static_cast<std::byte*>(space.data()), space.size()};
}

/// A TLS stream that was cut, by an alert or by bytes that are no record of it.
inline bool is_tls_failure(boost::system::error_code code) {
  return code.category() == boost::asio::error::get_ssl_category();
}

}  // namespace cohub::http
