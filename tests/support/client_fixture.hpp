#pragma once

#include "cohub/client.hpp"
#include "cohub/error.hpp"

#include "support/hub_fixture.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>

namespace cohub::test {

/// A Hub and a client of it, with a cache of its own; neither looks at the environment's token,
/// endpoint or cache, and a failed request is tried again at once.
struct client_fixture : hub_fixture {
  client_fixture() : client_fixture(local_hub_config{}) {}
  explicit client_fixture(local_hub_config settings) : hub_fixture(std::move(settings)) {
    connect();
  }
  ~client_fixture() { api.reset(); }

  /// Makes the client anew: after a restart of the Hub, or with other settings.
  void connect() {
    client_settings.endpoint = hub->endpoint();
    client_settings.token = token;
    client_settings.cache_dir = folder.path() / "cache";
    client_settings.upload_state_dir = folder.path() / "uploads";
    client_settings.offline = false;
    client_settings.retries.base_delay = std::chrono::milliseconds(1);
    client_settings.retries.max_delay = std::chrono::milliseconds(2);
    api.emplace(context.get_executor(), client_settings);
  }

  /// The error that an operation ends with; a test fails if it succeeds.
  template <class T>
  error failure_of(awaitable<T> operation) {
    try {
      run(std::move(operation));
    } catch (const error& e) {
      return e;
    }
    throw std::runtime_error("the operation should have failed");
  }

  /// Creates the repository if it is missing, and commits one file to it.
  commit_info put_file(const std::string& repo_id, const std::string& path, std::string content) {
    const create_repo_options existing{.exist_ok = true};
    run(api->create_repo(repo_id, existing));
    commit_operation_add add;
    add.path_in_repo = path;
    add.content = commit_operation_add::bytes{std::move(content)};
    std::vector<commit_operation> operations;
    operations.emplace_back(std::move(add));
    return run(api->create_commit(repo_id, std::move(operations), "put " + path));
  }

  client_config client_settings{};
  std::optional<client> api{};
};

}  // namespace cohub::test
