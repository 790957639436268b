#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>

namespace cohub::io {

/// Runs blocking `work`, which owns what it touches, on `pool`; resumes on the caller's executor.
///
/// Not cancellable: it ends when `work` does, so `work` is a bounded piece (one buffer written, one
/// buffer hashed).
template <class Work>
awaitable<std::invoke_result_t<Work&>> on_pool(asio::any_io_executor pool, Work work) {
  auto body = [work = std::move(work)]() mutable -> awaitable<std::invoke_result_t<Work&>> {
    co_return work();
  };
  // No cancellation across threads: with a slot, Boost 1.81 races and may call std::terminate.
  auto token = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
  co_return co_await asio::co_spawn(pool, std::move(body), std::move(token));
}

}  // namespace cohub::io
