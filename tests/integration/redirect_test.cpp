#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace cohub;
using test::client_fixture;

namespace {

local_hub_config with_cache() {
  local_hub_config settings;
  settings.resolve_cache = true;
  return settings;
}

/// A Hub that redirects for every file, as the public one does.
struct redirecting_hub : client_fixture {
  redirecting_hub() : client_fixture(with_cache()) {
    put_file("alice/model", "a.txt", "content");
    put_file("alice/model", "w.bin", test::noise(900'000));
    hub->clear_requests();
  }
};

}  // namespace

TEST_CASE_FIXTURE(redirecting_hub, "relative redirects are followed, with the token") {
  const local_hub_settings settings{.is_private = true};
  hub->update_repo_settings("alice/model", settings);
  CHECK(test::read_all(run(api->download_file("alice/model", "a.txt"))) == "content");
  CHECK(hub->count_requests("/api/resolve-cache/", "HEAD") == 1);
  for (const auto& request : hub->requests()) CHECK(request.authorized);
  CHECK(test::read_all(run(api->download_file("alice/model", "w.bin"))) == test::noise(900'000));
  for (const auto& request : hub->requests()) CHECK(request.authorized != request.content);
}

TEST_CASE_FIXTURE(redirecting_hub, "a snapshot comes through redirects") {
  const auto folder_of_it = run(api->snapshot_download("alice/model"));
  CHECK(test::read_all(folder_of_it / "a.txt") == "content");
  CHECK(test::read_all(folder_of_it / "w.bin") == test::noise(900'000));
}

TEST_CASE_FIXTURE(client_fixture, "a Hub in its own shape answers a small file in one request") {
  const auto info = put_file("alice/model", "a.txt", "content");
  hub->clear_requests();
  run(api->snapshot_download("alice/model"));
  CHECK(hub->count_requests("/resolve/", "GET") == 2);  // a.txt and .gitattributes
  CHECK(hub->count_requests("/resolve-cache/") == 0);
  CHECK(hub->count_requests("", "HEAD") == 0);
}

TEST_CASE_FIXTURE(client_fixture,
                  "names that lead to a repository by a redirect serve as its own") {
  put_file("alice/model", "a.txt", "content");
  // A lone name is its owner's, as the public Hub's legacy names are.
  CHECK(test::read_all(run(api->download_file("model", "a.txt"))) == "content");
  CHECK(run(api->repo_info("model")).id == "alice/model");
  CHECK(test::read_all(run(api->snapshot_download("model")) / "a.txt") == "content");
  CHECK(run(api->file_exists("model", "a.txt")));
  CHECK(failure_of(api->download_file("none", "a.txt")).code() == errc::repository_not_found);
}

TEST_CASE_FIXTURE(client_fixture, "a moved repository is used by its old name as before") {
  put_file("alice/old", "a.txt", "content");
  put_file("alice/old", "w.bin", test::noise(300'000));
  hub->move_repo("alice/old", "alice/new");
  CHECK(test::read_all(run(api->download_file("alice/old", "a.txt"))) == "content");
  CHECK(test::read_all(run(api->download_file("alice/old", "w.bin"))) == test::noise(300'000));
  CHECK(test::read_all(run(api->snapshot_download("alice/old")) / "a.txt") == "content");
  CHECK(run(api->repo_info("alice/old")).id == "alice/new");

  commit_operation_add add;
  add.path_in_repo = "b.bin";
  add.content = commit_operation_add::bytes{test::noise(200'000, 2)};
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(add));
  run(api->create_commit("alice/old", std::move(operations), "by the old name"));
  CHECK(test::read_all(run(api->download_file("alice/new", "b.bin"))) == test::noise(200'000, 2));

  put_file("alice/other", "a.txt", "x");
  const auto failed = [&](const std::string& from, const std::string& to) {
    try {
      hub->move_repo(from, to);
    } catch (const error& e) {
      return e.code();
    }
    return boost::system::error_code();
  };
  CHECK(failed("alice/new", "alice/other") == errc::conflict);
  CHECK(failed("alice/none", "alice/x") == errc::repository_not_found);
  CHECK(failed("alice/new", "../x") == errc::invalid_repository_id);
}
