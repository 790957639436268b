#pragma once

#include "cohub/awaitable.hpp"

#include "io/as_terminal.hpp"

#include <boost/asio/this_coro.hpp>

#include <type_traits>
#include <utility>

namespace cohub {

/// How every public operation opens: partial cancellation stops it just as terminal cancellation
/// does.
template <class T>
awaitable<T> operation(awaitable<T> work) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_partial_cancellation(),
                                                     io::as_terminal);
  if constexpr (std::is_void_v<T>) {
    co_await std::move(work);
  } else {
    auto result = co_await std::move(work);
    co_return result;
  }
}

}  // namespace cohub
