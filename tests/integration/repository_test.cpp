#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cohub;
using test::client_fixture;

TEST_CASE_FIXTURE(client_fixture, "whoami tells whose token it is, and a wrong one is refused") {
  const auto user = run(api->whoami());
  CHECK(user.name == "alice");
  CHECK(user.token_role == "write");
  const whoami_options wrong{.token = "hf_wrong"};
  const auto failure = failure_of(api->whoami(wrong));
  CHECK(failure.code() == errc::unauthorized);
  CHECK(std::string(failure.what()).find("hf_wrong") == std::string::npos);
  CHECK_FALSE(failure.http().request_id.empty());
}

TEST_CASE_FIXTURE(client_fixture, "whoami without a token is refused without a request") {
  auto changed = client_settings;
  changed.token = "";
  client anonymous(context.get_executor(), changed);
  hub->clear_requests();
  CHECK(failure_of(anonymous.whoami()).code() == errc::unauthorized);
  CHECK(hub->requests().empty());
}

TEST_CASE_FIXTURE(client_fixture, "repositories of the three types are made, told of and deleted") {
  for (const auto type : {repo_type::model, repo_type::dataset, repo_type::space}) {
    create_repo_options create;
    create.type = type;
    if (type == repo_type::space) create.space_sdk = "static";
    const auto made = run(api->create_repo("thing", create));
    CHECK(made.repo_id == "alice/thing");
    CHECK(made.type == type);
    CHECK(made.url.starts_with(hub->endpoint()));

    const repo_info_options of{.type = type};
    const auto info = run(api->repo_info("alice/thing", of));
    CHECK(info.id == "alice/thing");
    CHECK(info.sha.size() == 40);

    const auto again = failure_of(api->create_repo("alice/thing", create));
    CHECK(again.code() == errc::conflict);
    create.exist_ok = true;
    CHECK(run(api->create_repo("alice/thing", create)).repo_id == "alice/thing");

    delete_repo_options remove{.type = type};
    run(api->delete_repo("alice/thing", remove));
    CHECK(failure_of(api->repo_info("alice/thing", of)).code() == errc::repository_not_found);
    CHECK(failure_of(api->delete_repo("alice/thing", remove)).code() == errc::repository_not_found);
    remove.missing_ok = true;
    run(api->delete_repo("alice/thing", remove));
  }
}

TEST_CASE_FIXTURE(client_fixture, "ids that no Hub accepts are refused before any request") {
  hub->clear_requests();
  for (const char* id : {"", "a/b/c", "-a", "a..b", "a/b.git", "a b", "../x"}) {
    CAPTURE(id);
    CHECK(failure_of(api->create_repo(id)).code() == errc::invalid_repository_id);
    CHECK(failure_of(api->repo_info(id)).code() == errc::invalid_repository_id);
    CHECK(failure_of(api->download_file(id, "f")).code() == errc::invalid_repository_id);
    CHECK(failure_of(api->list_repo_tree(id).next()).code() == errc::invalid_repository_id);
    CHECK(failure_of(api->create_commit(id, {}, "m")).code() == errc::invalid_repository_id);
  }
  CHECK(hub->requests().empty());
}

TEST_CASE_FIXTURE(client_fixture, "a tree is listed page by page, large files with their sha256") {
  run(api->create_repo("alice/many"));
  std::vector<commit_operation> operations;
  for (int i = 0; i < 2500; ++i) {
    commit_operation_add add;
    add.path_in_repo = "data/" + std::to_string(i) + ".txt";
    add.content = commit_operation_add::bytes{std::to_string(i)};
    operations.emplace_back(std::move(add));
  }
  commit_operation_add large;
  large.path_in_repo = "w.safetensors";
  large.content = commit_operation_add::bytes{"content"};
  operations.emplace_back(std::move(large));
  run(api->create_commit("alice/many", std::move(operations), "all of it"));

  hub->clear_requests();
  const list_repo_tree_options everything{.recursive = true};
  auto listing = api->list_repo_tree("alice/many", everything);
  const auto first = run(listing.next());
  REQUIRE(first);
  CHECK(hub->count_requests("/tree/") == 1);  // the next pages have not been asked for yet
  const auto rest = run(listing.all());
  CHECK(hub->count_requests("/tree/") == 3);
  std::size_t files = first->type == tree_entry::kind::file ? 1 : 0;
  for (const auto& entry : rest) files += entry.type == tree_entry::kind::file ? 1 : 0;
  CHECK(files == 2502);  // with .gitattributes

  const auto top = run(api->list_repo_tree("alice/many").all());
  REQUIRE(top.size() == 3);
  const auto weights = std::find_if(
      top.begin(), top.end(), [](const auto& entry) { return entry.path == "w.safetensors"; });
  REQUIRE(weights != top.end());
  REQUIRE(weights->lfs);
  CHECK(weights->lfs->sha256 == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73");
  CHECK(weights->size == 7);
}

TEST_CASE_FIXTURE(client_fixture, "file_exists tells what is there") {
  put_file("alice/model", "dir/a.txt", "a");
  put_file("alice/model", "w.bin", "large");
  hub->clear_requests();
  CHECK(run(api->file_exists("alice/model", "dir/a.txt")));
  CHECK(run(api->file_exists("alice/model", "w.bin")));
  CHECK_FALSE(run(api->file_exists("alice/model", "b.txt")));
  CHECK_FALSE(run(api->file_exists("alice/other", "a.txt")));
  const file_exists_options elsewhere{.revision = "no-such-branch"};
  CHECK_FALSE(run(api->file_exists("alice/model", "dir/a.txt", elsewhere)));
  CHECK(hub->count_requests("/objects/") == 0);  // the store of large files is not asked
}

TEST_CASE_FIXTURE(client_fixture, "a private repository shows itself to its owner alone") {
  const create_repo_options secret{.is_private = true};
  run(api->create_repo("alice/secret", secret));
  CHECK(run(api->repo_info("alice/secret")).is_private);
  const repo_info_options anonymous{.token = ""};
  CHECK(failure_of(api->repo_info("alice/secret", anonymous)).code() == errc::repository_not_found);
  const repo_info_options stranger{.token = hub->create_token("stranger").token};
  CHECK(failure_of(api->repo_info("alice/secret", stranger)).code() == errc::repository_not_found);
}

TEST_CASE_FIXTURE(client_fixture, "a read token reads and does not write") {
  put_file("alice/model", "a.txt", "a");
  auto changed = client_settings;
  changed.token = hub->create_token("alice", "read").token;
  client reader(context.get_executor(), changed);
  CHECK(run(reader.repo_info("alice/model")).id == "alice/model");
  CHECK(failure_of(reader.create_repo("alice/new")).code() == errc::forbidden);
  std::vector<commit_operation> operations;
  operations.emplace_back(commit_operation_delete{"a.txt"});
  CHECK(failure_of(reader.create_commit("alice/model", operations, "no")).code() ==
        errc::forbidden);
  const create_repo_options existing{.exist_ok = true};
  CHECK(run(reader.create_repo("alice/model", existing)).repo_id == "alice/model");
}

TEST_CASE_FIXTURE(client_fixture, "an answer that is not JSON is an invalid response") {
  put_file("alice/model", "a.txt", "a");
  hub_fault garbage;
  garbage.path_part = "/api/models/alice/model";
  garbage.status = 200;
  garbage.body = "{\"id\": \"alice/mo";
  hub->inject(garbage);
  const auto failure = failure_of(api->repo_info("alice/model"));
  CHECK(failure.code() == errc::invalid_response);
}

TEST_CASE_FIXTURE(client_fixture, "offline mode makes no request") {
  auto changed = client_settings;
  changed.offline = true;
  client offline(context.get_executor(), changed);
  hub->clear_requests();
  CHECK(failure_of(offline.whoami()).code() == errc::offline);
  CHECK(hub->requests().empty());
}
