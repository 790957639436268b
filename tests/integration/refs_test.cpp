#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cohub;
using test::client_fixture;

namespace {

struct fixture : client_fixture {
  std::string first = put_file("alice/model", "a.txt", "1").oid;
  std::string second = put_file("alice/model", "a.txt", "2").oid;

  git_refs refs() {
    const list_repo_refs_options all{.include_pull_requests = true};
    return run(api->list_repo_refs("alice/model", all));
  }
};

const git_ref_info* find(const std::vector<git_ref_info>& refs, const std::string& name) {
  const auto found = std::find_if(refs.begin(), refs.end(),
                                  [&](const git_ref_info& each) { return each.name == name; });
  return found == refs.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE_FIXTURE(fixture, "branches are made where asked, told of and deleted") {
  const create_branch_options from_first{.revision = first};
  run(api->create_branch("alice/model", "old/state", from_first));
  run(api->create_branch("alice/model", "copy"));
  const auto made = refs();
  REQUIRE(find(made.branches, "old/state") != nullptr);
  CHECK(find(made.branches, "old/state")->target_commit == first);
  CHECK(find(made.branches, "old/state")->ref == "refs/heads/old/state");
  REQUIRE(find(made.branches, "copy") != nullptr);
  CHECK(find(made.branches, "copy")->target_commit == second);
  const download_options at{.revision = "old/state"};
  CHECK(test::read_all(run(api->download_file("alice/model", "a.txt", at))) == "1");

  CHECK(failure_of(api->create_branch("alice/model", "copy")).code() == errc::conflict);
  const create_branch_options existing{.exist_ok = true};
  run(api->create_branch("alice/model", "copy", existing));
  const create_branch_options from_nowhere{.revision = "nowhere"};
  CHECK(failure_of(api->create_branch("alice/model", "x", from_nowhere)).code() ==
        errc::revision_not_found);

  run(api->delete_branch("alice/model", "copy"));
  CHECK(find(refs().branches, "copy") == nullptr);
  CHECK(failure_of(api->delete_branch("alice/model", "copy")).code() == errc::revision_not_found);
}

TEST_CASE_FIXTURE(fixture, "a token that may not make a branch is content with one that is there") {
  run(api->create_branch("alice/model", "dev"));
  create_branch_options options;
  options.token = hub->create_token("bob").token;
  CHECK(failure_of(api->create_branch("alice/model", "dev", options)).http().status == 403);
  options.exist_ok = true;
  run(api->create_branch("alice/model", "dev", options));
  CHECK(failure_of(api->create_branch("alice/model", "other", options)).http().status == 403);
}

TEST_CASE_FIXTURE(fixture, "tags are made, told of and deleted") {
  const create_tag_options at_first{.revision = first, .tag_message = "The first"};
  run(api->create_tag("alice/model", "v1", at_first));
  REQUIRE(find(refs().tags, "v1") != nullptr);
  CHECK(find(refs().tags, "v1")->target_commit == first);
  CHECK(failure_of(api->create_tag("alice/model", "v1")).code() == errc::conflict);
  const create_tag_options existing{.exist_ok = true};
  run(api->create_tag("alice/model", "v1", existing));
  CHECK(find(refs().tags, "v1")->target_commit == first);
  run(api->delete_tag("alice/model", "v1"));
  CHECK(refs().tags.empty());
  CHECK(failure_of(api->delete_tag("alice/model", "v1")).code() == errc::revision_not_found);
}

TEST_CASE_FIXTURE(fixture, "pull requests are refs where asked for") {
  commit_operation_add add;
  add.path_in_repo = "b.txt";
  add.content = commit_operation_add::bytes{"b"};
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(add));
  const create_commit_options as_pr{.create_pr = true};
  run(api->create_commit("alice/model", std::move(operations), "propose", as_pr));
  REQUIRE(refs().pull_requests.size() == 1);
  CHECK(refs().pull_requests[0].ref == "refs/pr/1");
  CHECK(run(api->list_repo_refs("alice/model")).pull_requests.empty());
}

TEST_CASE_FIXTURE(client_fixture, "the history comes newest first, page by page") {
  std::vector<std::string> made;
  for (int i = 0; i < 60; ++i)
    made.push_back(put_file("alice/model", "a.txt", std::to_string(i)).oid);
  std::reverse(made.begin(), made.end());
  hub->clear_requests();
  auto history = api->list_repo_commits("alice/model");
  const auto newest = run(history.next());
  REQUIRE(newest.has_value());
  CHECK(newest->commit_id == made[0]);
  CHECK(newest->title == "put a.txt");
  CHECK(newest->authors == std::vector<std::string>{"alice"});
  CHECK(hub->requests().size() == 1);
  const auto rest = run(history.all());
  REQUIRE(rest.size() >= made.size() - 1);
  for (std::size_t i = 1; i < made.size(); ++i) CHECK(rest[i - 1].commit_id == made[i]);
  CHECK(hub->requests().size() == 2);
  CHECK(failure_of(api->list_repo_commits("a/b/c").next()).code() == errc::invalid_repository_id);
}

TEST_CASE_FIXTURE(fixture, "what exists is told from what does not") {
  CHECK(run(api->repo_exists("alice/model")));
  CHECK_FALSE(run(api->repo_exists("alice/none")));
  CHECK(run(api->revision_exists("alice/model", first)));
  CHECK(run(api->revision_exists("alice/model", "main")));
  CHECK_FALSE(run(api->revision_exists("alice/model", "none")));
  CHECK_FALSE(run(api->revision_exists("alice/none", "main")));
  put_file("alice/model", "folder/b.txt", "bb");
  const auto entries =
      run(api->get_paths_info("alice/model", {"a.txt", "folder", "folder/b.txt", "none"}));
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].path == "a.txt");
  CHECK(entries[1].type == tree_entry::kind::directory);
  CHECK(entries[2].size == 2);
}

TEST_CASE_FIXTURE(fixture, "a repository moves, and its settings change") {
  run(api->move_repo("alice/model", "alice/renamed"));
  CHECK(run(api->repo_info("alice/renamed")).sha == second);
  put_file("alice/other", "a.txt", "1");
  CHECK(failure_of(api->move_repo("alice/other", "alice/renamed")).code() == errc::conflict);

  update_repo_settings_options settings;
  CHECK(failure_of(api->update_repo_settings("alice/renamed", settings)).code() ==
        errc::invalid_argument);
  settings.is_private = true;
  settings.gated = "manual";
  run(api->update_repo_settings("alice/renamed", settings));
  auto info = run(api->repo_info("alice/renamed"));
  CHECK(info.is_private);
  CHECK(info.gated == "manual");
  settings.is_private.reset();
  settings.gated = "";
  run(api->update_repo_settings("alice/renamed", settings));
  info = run(api->repo_info("alice/renamed"));
  CHECK(info.is_private);
  CHECK(info.gated.empty());
}

TEST_CASE_FIXTURE(fixture, "a revision is resolved by the Hub, or by what the cache knows of it") {
  hub_fault failing;
  failing.path_part = "/revision/";
  failing.times = 0;
  failing.status = 503;
  hub->inject(failing);
  CHECK(failure_of(api->resolve_revision("alice/model")).code() == errc::server_failure);
  hub->clear_faults();
  CHECK(run(api->resolve_revision("alice/model")) == second);
  const auto ref = folder.path() / "cache" / "models--alice--model" / "refs" / "main";
  CHECK(test::read_all(ref) == second);
  CHECK(run(api->scan_cache_dir()).warnings.empty());
  const resolve_revision_options missing{.revision = "none"};
  CHECK(failure_of(api->resolve_revision("alice/model", missing)).code() ==
        errc::revision_not_found);
  hub->clear_requests();
  const resolve_revision_options known{.revision = first};
  CHECK(run(api->resolve_revision("alice/model", known)) == first);
  CHECK(hub->requests().empty());

  SUBCASE("a Hub that fails") { hub->inject(failing); }
  SUBCASE("no Hub") { run(hub->stop()); }
  SUBCASE("none that may be asked") {
    client_settings.offline = true;
    api.emplace(context.get_executor(), client_settings);
  }
  CHECK(run(api->resolve_revision("alice/model")) == second);
  CHECK(hub->count_requests("/revision/") <= 1);
}
