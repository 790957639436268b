#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>

#include <type_traits>
#include <utility>

namespace cohub::detail {

/// An outgoing cancellation filter: passes terminal and partial cancellation down as terminal, the
/// only kind that Beast and `co_spawn` act on.
inline constexpr struct {
  asio::cancellation_type_t operator()(asio::cancellation_type_t type) const noexcept {
    using kind = asio::cancellation_type;
    return (type & (kind::terminal | kind::partial)) != kind::none ? kind::terminal : kind::none;
  }
} as_terminal{};

/// How every public operation opens: partial cancellation stops it just as terminal cancellation
/// does.
template <class T>
awaitable<T> operation(awaitable<T> work) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_partial_cancellation(),
                                                     as_terminal);
  if constexpr (std::is_void_v<T>) {
    co_await std::move(work);
  } else {
    auto result = co_await std::move(work);
    co_return result;
  }
}

}  // namespace cohub::detail
