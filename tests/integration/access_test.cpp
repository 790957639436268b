#include "cohub/on_pool.hpp"

#include "support/client_fixture.hpp"

#include <boost/asio/strand.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <doctest/doctest.h>

#include <stdexcept>
#include <thread>

using namespace cohub;
using test::client_fixture;

namespace {

/// Alice's model, and bob who would like to have it.
struct two_users : client_fixture {
  two_users() {
    put_file("alice/model", "a.txt", "content");
    put_file("alice/model", "w.bin", test::noise(200'000));
    bob = hub->create_token("bob", "read").token;
    const local_hub_settings settings{.gated = "manual"};
    gated = settings;
  }

  error refusal(const std::string& as, const std::string& path) {
    const download_options options{.force_download = true, .token = as};
    return failure_of(api->download_file("alice/model", path, options));
  }
  std::string fetch(const std::string& as, const std::string& path) {
    const download_options options{.force_download = true, .token = as};
    return test::read_all(run(api->download_file("alice/model", path, options)));
  }

  std::string bob;
  local_hub_settings gated;
};

}  // namespace

TEST_CASE_FIXTURE(two_users, "a gated repository is told apart, with the Hub's words and an id") {
  hub->update_repo_settings("alice/model", gated);
  for (const char* path : {"a.txt", "w.bin"}) {
    const auto nobody = refusal("", path);
    CHECK(nobody.code() == errc::gated_repository);
    CHECK(nobody.http().status == 401);
    CHECK(nobody.http().error_code == "GatedRepo");
    const auto stranger = refusal(bob, path);
    CHECK(stranger.code() == errc::gated_repository);
    CHECK(stranger.http().status == 403);
    CHECK(stranger.http().server_message.find("not in the authorized list") != std::string::npos);
    CHECK_FALSE(stranger.http().request_id.empty());
    CHECK(std::string(stranger.what()).find(stranger.http().request_id) != std::string::npos);
    CHECK(std::string(stranger.what()).find(bob) == std::string::npos);
  }
  const snapshot_download_options all{.token = bob};
  CHECK(failure_of(api->snapshot_download("alice/model", all)).code() == errc::gated_repository);
  const file_exists_options as_bob{.token = bob};
  CHECK(failure_of(api->file_exists("alice/model", "a.txt", as_bob)).code() ==
        errc::gated_repository);
  const repo_info_options info{.token = bob};
  CHECK(run(api->repo_info("alice/model", info)).gated == "manual");

  hub->grant_access("alice/model", "bob");
  CHECK(fetch(bob, "a.txt") == "content");
  CHECK(fetch(bob, "w.bin") == test::noise(200'000));
}

TEST_CASE_FIXTURE(two_users, "a private repository is not there for others") {
  const local_hub_settings settings{.is_private = true};
  hub->update_repo_settings("alice/model", settings);
  const auto nobody = refusal("", "a.txt");
  CHECK(nobody.code() == errc::repository_not_found);
  CHECK(nobody.http().status == 401);
  const auto stranger = refusal(bob, "a.txt");
  CHECK(stranger.code() == errc::repository_not_found);
  CHECK(stranger.http().status == 404);
  CHECK(fetch(token, "a.txt") == "content");
}

TEST_CASE_FIXTURE(two_users, "a disabled repository is told apart") {
  const local_hub_settings settings{.disabled = true};
  hub->update_repo_settings("alice/model", settings);
  CHECK(refusal(token, "a.txt").code() == errc::disabled_repository);
  CHECK(failure_of(api->repo_info("alice/model")).code() == errc::disabled_repository);
}

TEST_CASE_FIXTURE(two_users, "a token that the Hub does not know is told apart") {
  CHECK(refusal("hf_unknown", "a.txt").code() == errc::unauthorized);
}

TEST_CASE_FIXTURE(two_users, "what was fetched before stays when access is taken away") {
  const auto path = run(api->download_file("alice/model", "a.txt"));
  hub->update_repo_settings("alice/model", gated);
  const download_options local{.local_files_only = true, .token = bob};
  CHECK(run(api->download_file("alice/model", "a.txt", local)) == path);
}

TEST_CASE("a Hub whose limit is spent is an error that says when to come again") {
  local_hub_config limited;
  limited.rate_limits = local_hub_rate_limits{100, 2, std::chrono::seconds(300)};
  client_fixture hub(limited);
  hub.client_settings.retries.max_retry_after = std::chrono::milliseconds(1);
  hub.connect();
  hub.put_file("alice/model", "a.txt", "content");
  hub.put_file("alice/model", "b.txt", "content of b");
  hub.run(hub.api->download_file("alice/model", "a.txt"));  // HEAD and GET
  hub.hub->clear_requests();
  const auto e = hub.failure_of(hub.api->download_file("alice/model", "b.txt"));
  CHECK(e.code() == errc::local_entry_not_found);
  CHECK(e.http().status == 429);
  CHECK(hub.hub->requests().size() == 1);  // nobody asks again before that time
  hub.hub->end_rate_limit_window();
  CHECK(test::read_all(hub.run(hub.api->download_file("alice/model", "b.txt"))) == "content of b");
}

TEST_CASE("a pool of threads runs a client by a strand alone") {
  asio::thread_pool pool(2);
  CHECK_THROWS_WITH_AS(client(pool.get_executor()), doctest::Contains("make_strand"), error);
  CHECK_THROWS_WITH_AS(client(asio::system_executor()), doctest::Contains("make_strand"), error);
  const client hub(asio::make_strand(pool.get_executor()));
  CHECK_FALSE(hub.endpoint().empty());
}

TEST_CASE("blocking work is not for the executor that everything else runs on") {
  asio::io_context context;
  client_config config;
  config.blocking_executor = context.get_executor();
  CHECK_THROWS_WITH_AS(client(context.get_executor(), config),
                       doctest::Contains("blocking_executor"), error);
}

TEST_CASE("blocking work of a program's own goes to the client's pool") {
  asio::io_context context;
  const client hub(context.get_executor());
  const auto here = std::this_thread::get_id();
  auto elsewhere = [here] { return std::this_thread::get_id() != here; };
  CHECK(test::run(context, on_pool(hub.blocking_executor(), elsewhere)));
  auto failing = [] { throw std::runtime_error("broken"); };
  CHECK_THROWS_AS(test::run(context, on_pool(hub.blocking_executor(), failing)),
                  std::runtime_error);
}
