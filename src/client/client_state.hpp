#pragma once

#include "cohub/client_config.hpp"

#include "transfer/context.hpp"

#include <boost/asio/any_io_executor.hpp>

namespace cohub::detail {

/// What the copies of one client share.
struct client_state {
  asio::any_io_executor executor{};
  transfer::context_ptr shared{};
};

/// Fills what the configuration leaves open from the environment and the defaults.
/// @throws error  errc::invalid_url, errc::invalid_argument
client_state make_client_state(asio::any_io_executor executor, client_config config);

}  // namespace cohub::detail
