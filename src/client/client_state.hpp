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

/// The same client, connections and cache included, whose requests tell the Hub of a library.
client_state identify(const client_state& state, const std::string& library_name,
                      const std::string& library_version);

}  // namespace cohub::detail
