#include "support/client_fixture.hpp"
#include "support/scripted_server.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using test::client_fixture;
using test::scripted_reply;
using test::scripted_server;
using test::seen_request;

namespace {

/// A client of a server that says what the test tells it to.
struct scripted_fixture : client_fixture {
  void ask(scripted_server::script answer) {
    server.emplace(context, std::move(answer));
    client_settings.endpoint = server->origin();
    api.emplace(context.get_executor(), client_settings);
  }
  std::string body(std::size_t number = 0) const { return server->seen().at(number).body; }

  std::optional<scripted_server> server;
};

scripted_reply busy_reply() {
  return scripted_reply::text(
      409, R"({"error":"Cannot create repo: another conflicting operation is in progress"})");
}

}  // namespace

TEST_CASE_FIXTURE(scripted_fixture, "a Hub that is busy with another repository is asked again") {
  std::size_t asked = 0;
  ask([&](const seen_request&) {
    if (++asked < 3) return busy_reply();
    return scripted_reply::text(200, R"({"url":"https://huggingface.co/me/new"})");
  });
  CHECK(run(api->create_repo("me/new")).repo_id == "me/new");
  CHECK(asked == 3);
}

TEST_CASE_FIXTURE(scripted_fixture, "a Hub that stays busy is not asked for ever") {
  ask([](const seen_request&) { return busy_reply(); });
  const create_repo_options existing{.exist_ok = true};
  const auto failure = failure_of(api->create_repo("me/new", existing));
  CHECK(failure.code() == errc::conflict);
  CHECK(server->seen().size() == client_settings.retries.attempts);
}

TEST_CASE_FIXTURE(scripted_fixture, "a conflict that tells no url is met by the asked name") {
  ask([](const seen_request& request) {
    if (request.line.find("whoami") != std::string::npos)
      return scripted_reply::text(200, R"({"name":"me"})");
    return scripted_reply::text(409, R"({"error":"You already created this dataset repo"})");
  });
  create_repo_options options{.type = repo_type::dataset, .exist_ok = true};
  auto made = run(api->create_repo("org/new", options));
  CHECK(made.repo_id == "org/new");
  CHECK(made.url == server->origin() + "/datasets/org/new");
  CHECK(made.type == repo_type::dataset);
  CHECK(server->seen().size() == 1);
  made = run(api->create_repo("new", options));
  CHECK(made.repo_id == "me/new");
  options.exist_ok = false;
  CHECK(failure_of(api->create_repo("org/new", options)).code() == errc::conflict);
}

TEST_CASE_FIXTURE(scripted_fixture,
                  "a token that may not create is content with what it can read") {
  for (const int status : {401, 402, 403}) {
    CAPTURE(status);
    ask([status](const seen_request& request) {
      if (request.line.starts_with("GET")) return scripted_reply::text(200, R"({"id":"me/old"})");
      return scripted_reply::text(status, R"({"error":"no"})");
    });
    create_repo_options options{.exist_ok = true};
    const auto made = run(api->create_repo("old", options));
    CHECK(made.repo_id == "me/old");
    CHECK(made.url == server->origin() + "/me/old");
    options.exist_ok = false;
    CHECK(failure_of(api->create_repo("old", options)).http().status == status);
  }
}

TEST_CASE_FIXTURE(scripted_fixture, "all that a repository is to be is in the request") {
  ask([](const seen_request& request) {
    if (request.line.find("/api/spaces/templates") != std::string::npos)
      return scripted_reply::text(404, R"({"error":"unknown"})");
    return scripted_reply::text(200, R"({"url":"https://huggingface.co/spaces/org/s"})");
  });
  create_repo_options options;
  options.type = repo_type::space;
  options.space_sdk = "docker";
  options.visibility = "protected";
  options.resource_group_id = "66670e51";
  options.region = "eu";
  options.space_hardware = "t4-medium";
  options.space_storage = "small";
  options.space_sleep_time = -1;
  options.space_secrets = {{"KEY", "secret", "what for"}};
  options.space_variables = {{"THEME", "dark", ""}};
  options.space_volumes = {{"dataset", "o/d", "/data", "main", "sub", true}};
  options.space_template = "o/template";
  run(api->create_repo("org/s", options));
  CHECK(body(1) ==
        R"({"organization":"org","name":"s","type":"space","visibility":"protected",)"
        R"("sdk":"docker","template":"o/template","hardware":"t4-medium","storageTier":"small",)"
        R"("sleepTimeSeconds":-1,)"
        R"("secrets":[{"key":"KEY","value":"secret","description":"what for"}],)"
        R"("variables":[{"key":"THEME","value":"dark"}],)"
        R"("volumes":[{"type":"dataset","source":"o/d","mountPath":"/data","revision":"main",)"
        R"("readOnly":true,"path":"sub"}],"resourceGroupId":"66670e51","region":"eu"})");

  options.type = repo_type::model;
  CHECK(failure_of(api->create_repo("org/s", options)).code() == errc::invalid_argument);
  options.visibility.clear();
  options.is_private = false;
  run(api->create_repo("org/s", options));
  CHECK(body(2) == R"({"organization":"org","name":"s","type":"model","visibility":"public",)"
                   R"("resourceGroupId":"66670e51","region":"eu"})");
  options.visibility = "public";
  CHECK(failure_of(api->create_repo("org/s", options)).code() == errc::invalid_argument);
}

TEST_CASE_FIXTURE(scripted_fixture, "a space is what its template is") {
  ask([](const seen_request& request) {
    if (request.line.find("/api/spaces/templates") != std::string::npos)
      return scripted_reply::text(
          200,
          R"({"templates":[{"name":"Chat","repoId":"o/chat","sdk":"gradio"},)"
          R"({"name":"JupyterLab","repoId":"o/lab","sdk":"docker","preferredPrivate":true}]})");
    return scripted_reply::text(200, R"({"url":"https://huggingface.co/spaces/me/s"})");
  });
  create_repo_options options{.type = repo_type::space, .space_template = "jupyterlab"};
  run(api->create_repo("s", options));
  CHECK(body(1) == R"({"name":"s","type":"space","visibility":"private",)"
                   R"("sdk":"docker","template":"o/lab"})");
  options.is_private = false;
  options.space_template = "o/chat";
  run(api->create_repo("s", options));
  CHECK(body(3) == R"({"name":"s","type":"space","visibility":"public",)"
                   R"("sdk":"gradio","template":"o/chat"})");
  options.space_template = "o/own";
  const auto unknown = failure_of(api->create_repo("s", options));
  CHECK(unknown.code() == errc::invalid_argument);
  CHECK(std::string(unknown.what()).find("Chat, JupyterLab") != std::string::npos);
  options.space_sdk = "static";
  run(api->create_repo("s", options));
  CHECK(body(6) == R"({"name":"s","type":"space","visibility":"public",)"
                   R"("sdk":"static","template":"o/own"})");
}

TEST_CASE_FIXTURE(scripted_fixture, "a rejection can bear its reason") {
  ask([](const seen_request&) { return scripted_reply::text(200, "{}"); });
  const reject_access_request_options options{.rejection_reason = "not yet"};
  run(api->reject_access_request("a/b", "bob", options));
  CHECK(body() == R"({"user":"bob","status":"rejected","rejectionReason":"not yet"})");
  run(api->cancel_access_request("a/b", "bob"));
  CHECK(body(1) == R"({"user":"bob","status":"pending"})");
  run(api->grant_access("a/b", "bob"));
  CHECK(body(2) == R"({"user":"bob"})");
}

TEST_CASE_FIXTURE(client_fixture,
                  "a repository is duplicated, under one's own name if none is told") {
  put_file("alice/m", "w.bin", "weights");
  const auto head = put_file("alice/m", "a.txt", "a").oid;
  auto bob = client_settings;
  bob.token = hub->create_token("bob").token;
  client other(context.get_executor(), bob);
  const auto made = run(other.duplicate_repo("alice/m"));
  CHECK(made.repo_id == "bob/m");
  CHECK(made.url == hub->endpoint() + "/bob/m");
  CHECK(run(other.repo_info("bob/m")).sha == head);
  CHECK(run(other.read_file("bob/m", "w.bin")) == "weights");
  CHECK(failure_of(other.duplicate_repo("alice/m")).code() == errc::conflict);
  duplicate_repo_options options{.exist_ok = true};
  CHECK(run(other.duplicate_repo("alice/m", "m", options)).repo_id == "bob/m");
  options.is_private = true;
  run(other.duplicate_repo("alice/m", "bob/secret", options));
  CHECK(run(other.repo_info("bob/secret")).is_private);
  CHECK(failure_of(other.duplicate_repo("alice/none")).code() == errc::repository_not_found);
  CHECK(failure_of(other.duplicate_repo("alice/m", "alice/n")).code() == errc::forbidden);
}

TEST_CASE_FIXTURE(client_fixture, "files are listed by name, and trees with their last commits") {
  put_file("alice/m", "dir/a.txt", "a");
  const auto last = put_file("alice/m", "w.bin", "weights").oid;
  using names = std::vector<std::string>;
  CHECK(run(api->list_repo_files("alice/m").all()) ==
        names{".gitattributes", "dir/a.txt", "w.bin"});
  const list_repo_tree_options expanded{.recursive = true, .expand = true};
  const auto tree = run(api->list_repo_tree("alice/m", expanded).all());
  REQUIRE(tree.size() == 4);
  REQUIRE(tree.back().last_commit);
  CHECK(tree.back().last_commit->oid == last);
  CHECK(tree.back().last_commit->title == "put w.bin");
  CHECK(run(api->list_repo_tree("alice/m").all()).front().last_commit == std::nullopt);
  const get_paths_info_options paths{.expand = true};
  const auto info = run(api->get_paths_info("alice/m", {"dir", "w.bin"}, paths));
  REQUIRE(info.size() == 2);
  REQUIRE(info[0].last_commit);
  CHECK(info[0].last_commit->title == "put dir/a.txt");
  CHECK(failure_of(api->list_repo_files("alice/none").all()).code() == errc::repository_not_found);
}

TEST_CASE_FIXTURE(client_fixture, "access is checked before it is needed") {
  put_file("alice/m", "a.txt", "a");
  run(api->auth_check("alice/m"));
  const auth_check_options writing{.write = true};
  run(api->auth_check("alice/m", writing));
  auth_check_options stranger;
  stranger.token = hub->create_token("bob").token;
  run(api->auth_check("alice/m", stranger));
  stranger.write = true;
  CHECK(failure_of(api->auth_check("alice/m", stranger)).code() == errc::forbidden);
  update_repo_settings_options gating;
  gating.gated = "manual";
  run(api->update_repo_settings("alice/m", gating));
  stranger.write = false;
  CHECK(failure_of(api->auth_check("alice/m", stranger)).code() == errc::gated_repository);
  CHECK(failure_of(api->auth_check("alice/none")).code() == errc::repository_not_found);
}

TEST_CASE_FIXTURE(client_fixture, "a name of one's own is completed") {
  CHECK(run(api->get_full_repo_name("thing")) == "alice/thing");
  hub->clear_requests();
  const get_full_repo_name_options of{.organization = "team"};
  CHECK(run(api->get_full_repo_name("thing", of)) == "team/thing");
  CHECK(hub->requests().empty());
}

TEST_CASE_FIXTURE(client_fixture, "large objects are listed, and deleted from all history") {
  put_file("alice/m", "a.txt", "a");
  put_file("alice/m", "w.bin", "weights");
  const auto before = put_file("alice/m", "v.bin", "more").oid;
  auto files = run(api->list_lfs_files("alice/m").all());
  REQUIRE(files.size() == 2);
  std::erase_if(files, [](const lfs_file_info& file) { return file.filename != "w.bin"; });
  REQUIRE(files.size() == 1);
  CHECK(files[0].size == 7);
  CHECK(files[0].ref == "refs/heads/main");
  run(api->permanently_delete_lfs_files("alice/m", files));
  CHECK(run(api->list_lfs_files("alice/m").all()).size() == 1);
  CHECK_FALSE(run(api->file_exists("alice/m", "w.bin")));
  CHECK(run(api->read_file("alice/m", "v.bin")) == "more");
  CHECK(run(api->repo_info("alice/m")).sha != before);
  list_lfs_files_options stranger;
  stranger.token = hub->create_token("bob").token;
  CHECK(failure_of(api->list_lfs_files("alice/m", stranger).all()).code() == errc::forbidden);
  // What was deleted can come again.
  put_file("alice/m", "w.bin", "weights");
  CHECK(run(api->read_file("alice/m", "w.bin")) == "weights");
}

TEST_CASE_FIXTURE(client_fixture, "one's own repositories are listed, whatever they are") {
  put_file("alice/m", "w.bin", "weights");
  const create_repo_options space{
      .type = repo_type::space, .space_sdk = "static", .visibility = "protected"};
  run(api->create_repo("s", space));
  const auto own = run(api->list_user_repos().all());
  REQUIRE(own.size() == 2);
  CHECK(own[0].id == "alice/m");
  CHECK(own[0].storage == 7);
  CHECK(own[1].type == "space");
  CHECK(own[1].visibility == "protected");
  const list_user_repos_options elsewhere{.organization = "team"};
  CHECK(failure_of(api->list_user_repos(elsewhere).all()).code() == errc::forbidden);
}

TEST_CASE_FIXTURE(client_fixture, "a space is protected, and then is not") {
  const create_repo_options space{.type = repo_type::space, .space_sdk = "static"};
  run(api->create_repo("s", space));
  update_repo_settings_options settings{.type = repo_type::space};
  settings.visibility = "protected";
  run(api->update_repo_settings("alice/s", settings));
  CHECK(run(api->space_info("alice/s")).json.find(R"("visibility":"protected")") !=
        std::string::npos);
  settings.visibility = "public";
  run(api->update_repo_settings("alice/s", settings));
  CHECK_FALSE(run(api->space_info("alice/s")).is_private);
  settings.type = repo_type::model;
  settings.visibility = "protected";
  CHECK(failure_of(api->update_repo_settings("alice/s", settings)).code() ==
        errc::invalid_argument);
}

TEST_CASE_FIXTURE(client_fixture, "revisions are compared, and histories are formatted") {
  const auto from = put_file("alice/m", "a.txt", "one\n").oid;
  put_file("alice/m", "a.txt", "two\n");
  const auto diff = run(api->get_commit_diff("alice/m", from, "main"));
  CHECK(diff.find("-one\n+two\n") != diff.npos);
  const get_commit_diff_options raw{.raw = true};
  CHECK(run(api->get_commit_diff("alice/m", from, "main", raw)).starts_with(":100644 100644 "));
  CHECK(failure_of(api->get_commit_diff("alice/m", "main", "none")).code() ==
        errc::revision_not_found);
  CHECK(failure_of(api->get_commit_diff("alice/m", "", "main")).code() == errc::invalid_argument);
  const list_repo_commits_options formatted{.formatted = true};
  const auto commits = run(api->list_repo_commits("alice/m", formatted).all());
  REQUIRE(commits.size() == 3);
  CHECK(commits[0].formatted_title == "put a.txt");
  CHECK(run(api->list_repo_commits("alice/m").all())[0].formatted_title.empty());
}

TEST_CASE_FIXTURE(client_fixture, "a pull request tells its diff and what it conflicts in") {
  put_file("alice/m", "a.txt", "one\n");
  commit_operation_add add;
  add.path_in_repo = "a.txt";
  add.content = commit_operation_add::bytes{"theirs\n"};
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(add));
  const create_commit_options as_pr{.create_pr = true};
  const auto proposed = run(api->create_commit("alice/m", std::move(operations), "propose", as_pr));
  auto details = run(api->get_discussion_details("alice/m", proposed.pr_num.value()));
  CHECK(details.diff.find("-one\n+theirs\n") != std::string::npos);
  CHECK(details.conflicting_files.empty());
  put_file("alice/m", "a.txt", "ours\n");
  details = run(api->get_discussion_details("alice/m", proposed.pr_num.value()));
  CHECK(details.conflicting_files == std::vector<std::string>{"a.txt"});
  CHECK(failure_of(api->merge_pull_request("alice/m", proposed.pr_num.value())).code() ==
        errc::conflict);
}
