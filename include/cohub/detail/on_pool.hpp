#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>

namespace cohub::detail {

/// Runs blocking `work`, which owns what it touches, on `pool`; resumes on the caller's executor. Not
/// cancellable. The result is default-constructible.
template <class Work>
awaitable<std::invoke_result_t<Work&>> on_pool(asio::any_io_executor pool, Work work) {
  auto body = [work = std::move(work)]() mutable -> awaitable<std::invoke_result_t<Work&>> {
    co_return work();
  };
  // No cancellation across threads: with a slot, Boost 1.81 races and may call std::terminate.
  auto token = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
  co_return co_await asio::co_spawn(pool, std::move(body), std::move(token));
}

/// The outgoing cancellation filter of an operation that a template of a public header implements:
/// partial cancellation stops it as terminal does.
inline constexpr struct {
  asio::cancellation_type_t operator()(asio::cancellation_type_t type) const noexcept {
    using kind = asio::cancellation_type;
    return (type & (kind::terminal | kind::partial)) != kind::none ? kind::terminal : kind::none;
  }
} pass_as_terminal{};

}  // namespace cohub::detail
