#pragma once

#include "cohub/local_hub.hpp"

#include "support/run.hpp"
#include "support/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>

#include <optional>
#include <string>
#include <utility>

namespace cohub::test {

/// A Hub on free ports with an empty root, on a single-threaded context, and a write token of its
/// user "alice".
struct hub_fixture {
  hub_fixture() : hub_fixture(local_hub_config{}) {}
  explicit hub_fixture(local_hub_config settings) : config(std::move(settings)) {
    if (config.root.empty()) config.root = folder.path() / "hub";
    hub.emplace(context.get_executor(), config);
    token = hub->create_token("alice").token;
  }

  /// Drives the context until the operation has ended.
  template <class T>
  T run(awaitable<T> operation) {
    return test::run(context, std::move(operation));
  }

  /// Stops the Hub and starts it again on what it left on disk, at another port.
  void restart() {
    run(hub->stop());
    hub.reset();
    hub.emplace(context.get_executor(), config);
  }

  temporary_folder folder;
  local_hub_config config;
  asio::io_context context{1};
  std::optional<local_hub> hub;
  std::string token;
};

}  // namespace cohub::test
