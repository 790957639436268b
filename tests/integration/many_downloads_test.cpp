#include "support/client_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t calls = 1000;

std::string name_of(std::size_t number) { return "files/" + std::to_string(number) + ".txt"; }

std::size_t open_sockets() {
  std::size_t found = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    found += fs::read_symlink(entry.path(), gone).string().starts_with("socket:");
  }
  return found;
}

struct fixture : test::client_fixture {
  fixture() {
    run(api->create_repo("alice/many"));
    std::vector<commit_operation> operations;
    for (std::size_t i = 0; i < calls; ++i) {
      commit_operation_add add;
      add.path_in_repo = name_of(i);
      add.content = commit_operation_add::bytes{"content of " + std::to_string(i)};
      operations.emplace_back(std::move(add));
    }
    run(api->create_commit("alice/many", std::move(operations), "many"));
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a thousand downloads at once share one pool of connections") {
  client_settings.max_connections = 4;
  connect();
  const auto before = open_sockets();
  std::size_t done = 0;
  std::size_t most_sockets = 0;
  std::vector<std::exception_ptr> failures;
  std::vector<fs::path> paths(calls);
  for (std::size_t i = 0; i < calls; ++i)
    asio::co_spawn(context, api->download_file("alice/many", name_of(i)),
                   [&, i](std::exception_ptr failure, fs::path path) {
                     ++done;
                     if (failure) failures.push_back(failure);
                     paths[i] = std::move(path);
                     if (i % 50 == 0) most_sockets = std::max(most_sockets, open_sockets());
                   });
  context.restart();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (done < calls) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    context.run_one_for(std::chrono::milliseconds(100));
  }
  CHECK(failures.empty());
  for (std::size_t i = 0; i < calls; ++i) {
    const auto text = "content of " + std::to_string(i);
    CHECK(fs::file_size(paths[i]) == text.size());
  }
  // Both ends of each connection are in this process.
  CHECK(most_sockets <= before + 2 * client_settings.max_connections);
}
