#pragma once

#include <boost/asio/cancellation_type.hpp>

namespace cohub::io {

/// The outgoing cancellation filter of public operations: passes terminal and partial cancellation
/// down as terminal, the only kind that Beast and `co_spawn` act on.
inline constexpr struct {
  boost::asio::cancellation_type_t operator()(
      boost::asio::cancellation_type_t type) const noexcept {
    using kind = boost::asio::cancellation_type;
    return (type & (kind::terminal | kind::partial)) != kind::none ? kind::terminal : kind::none;
  }
} as_terminal{};

}  // namespace cohub::io
