#pragma once

#include <boost/asio/awaitable.hpp>

namespace cohub {

namespace asio = boost::asio;

/// What every public operation returns: `co_await` it on the executor that its client was made
/// with.
template <class T>
using awaitable = asio::awaitable<T>;

}  // namespace cohub
