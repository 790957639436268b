#include "support/client_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <algorithm>

using namespace cohub;

namespace {

struct discussion_fixture : test::client_fixture {
  discussion_fixture() {
    first = put_file("alice/m", "a.txt", "1");
    auto settings = client_settings;
    settings.token = hub->create_token("bob").token;
    bob.emplace(context.get_executor(), settings);
  }
  commit_info propose(const std::string& revision, const std::string& path, std::string content) {
    commit_operation_add add;
    add.path_in_repo = path;
    add.content = commit_operation_add::bytes{std::move(content)};
    std::vector<commit_operation> operations;
    operations.emplace_back(std::move(add));
    create_commit_options options;
    options.revision = revision;
    return run(api->create_commit("alice/m", operations, "change " + path, options));
  }
  commit_info first;
  std::optional<client> bob;
};

}  // namespace

TEST_CASE_FIXTURE(discussion_fixture, "a discussion is opened, talked in, renamed and closed") {
  create_discussion_options options;
  options.description = " It says *1*\n";
  auto made = run(bob->create_discussion("alice/m", "  A wrong label ", options));
  CHECK(made.title == "A wrong label");
  CHECK(made.author == "bob");
  CHECK(made.status == "open");
  CHECK_FALSE(made.is_pull_request);
  CHECK(made.git_reference().empty());
  REQUIRE(made.events.size() == 1);
  CHECK(made.events[0].content == "It says *1*");

  const auto said = run(api->comment_discussion("alice/m", made.num, "Indeed"));
  CHECK(said.content == "Indeed");
  const auto edited =
      run(api->edit_discussion_comment("alice/m", made.num, said.id, "Indeed, thanks"));
  CHECK(edited.edited);
  CHECK(edited.content == "Indeed, thanks");
  CHECK(run(api->rename_discussion("alice/m", made.num, "Label")).new_title == "Label");
  change_discussion_status_options closing;
  closing.comment = "Done";
  CHECK(run(api->change_discussion_status("alice/m", made.num, "closed", closing)).new_status ==
        "closed");
  CHECK(run(api->hide_discussion_comment("alice/m", made.num, said.id)).hidden);
  restart();
  connect();
  const auto details = run(api->get_discussion_details("alice/m", made.num));
  CHECK(details.status == "closed");
  CHECK(details.title == "Label");
  CHECK(details.events.size() == 5);
  CHECK(details.events[1].content.empty());
}

TEST_CASE_FIXTURE(discussion_fixture, "partial cancellation stops a listing of discussions") {
  hub_fault stall;
  stall.method = "GET";
  stall.path_part = "/discussions";
  stall.stall = true;
  hub->inject(stall);
  auto discussions = api->get_repo_discussions("alice/m");
  asio::cancellation_signal cancel;
  boost::system::error_code outcome;
  bool done = false;
  const auto end = [&](std::exception_ptr e, const std::optional<discussion>&) {
    done = true;
    try {
      if (e) std::rethrow_exception(e);
    } catch (const boost::system::system_error& failure) {
      outcome = failure.code();
    }
  };
  asio::co_spawn(context, discussions.next(), asio::bind_cancellation_slot(cancel.slot(), end));
  while (hub->count_requests("/discussions", "GET") == 0) context.run_one();
  cancel.emit(asio::cancellation_type::partial);
  context.poll();
  CHECK(done);
  cancel.emit(asio::cancellation_type::terminal);
  while (!done) context.run_one();
  CHECK(outcome == asio::error::operation_aborted);
}

TEST_CASE_FIXTURE(discussion_fixture, "what may not be is refused") {
  CHECK(failure_of(api->create_discussion("alice/m", "ab")).code() == errc::bad_request);
  CHECK(failure_of(api->create_discussion("alice/none", "title")).code() ==
        errc::repository_not_found);
  const auto made = run(api->create_discussion("alice/m", "Owner's"));
  CHECK(failure_of(bob->rename_discussion("alice/m", made.num, "Bob's")).code() == errc::forbidden);
  CHECK(failure_of(bob->merge_pull_request("alice/m", made.num)).code() == errc::forbidden);
  CHECK(failure_of(api->merge_pull_request("alice/m", made.num)).code() == errc::bad_request);
  CHECK(failure_of(api->change_discussion_status("alice/m", made.num, "merged")).code() ==
        errc::bad_request);
  CHECK(failure_of(api->comment_discussion("alice/m", made.num, " ")).code() == errc::bad_request);
  CHECK_THROWS_AS(run(api->get_discussion_details("alice/m", 99)), error);
}

TEST_CASE_FIXTURE(discussion_fixture, "a pull request takes commits and is merged") {
  const auto made = run(api->create_pull_request("alice/m", "Better"));
  CHECK(made.is_pull_request);
  CHECK(made.status == "draft");
  CHECK(made.git_reference() == "refs/pr/" + std::to_string(made.num));
  const auto commit = propose(made.git_reference(), "b.txt", "new");
  put_file("alice/m", "c.txt", "meanwhile");
  auto details = run(api->get_discussion_details("alice/m", made.num));
  CHECK(details.events.back().oid == commit.oid);
  CHECK(details.target_branch == "refs/heads/main");
  run(api->merge_pull_request("alice/m", made.num));
  details = run(api->get_discussion_details("alice/m", made.num));
  CHECK(details.status == "merged");
  CHECK(details.merge_commit_oid == run(api->repo_info("alice/m")).sha);
  for (const char* path : {"a.txt", "b.txt", "c.txt"})
    CHECK(run(api->file_exists("alice/m", path)));
  CHECK(failure_of(api->merge_pull_request("alice/m", made.num)).code() == errc::bad_request);
}

TEST_CASE_FIXTURE(discussion_fixture, "a pull request that conflicts is not merged") {
  const auto made = run(api->create_pull_request("alice/m", "Other"));
  propose(made.git_reference(), "a.txt", "theirs");
  const auto ours = put_file("alice/m", "a.txt", "ours");
  CHECK(failure_of(api->merge_pull_request("alice/m", made.num)).code() == errc::conflict);
  CHECK(run(api->repo_info("alice/m")).sha == ours.oid);
}

TEST_CASE_FIXTURE(discussion_fixture, "discussions are listed page by page, by kind and author") {
  for (int i = 0; i < 60; ++i)
    run(api->create_discussion("alice/m", "number " + std::to_string(i)));
  run(bob->create_discussion("alice/m", "by bob"));
  run(api->create_pull_request("alice/m", "a change"));
  const auto all = run(api->get_repo_discussions("alice/m").all());
  CHECK(all.size() == 62);
  CHECK(all.front().title == "a change");
  get_repo_discussions_options options;
  options.author = "bob";
  CHECK(run(api->get_repo_discussions("alice/m", options).all()).size() == 1);
  options = {};
  options.discussion_type = "pull_request";
  CHECK(run(api->get_repo_discussions("alice/m", options).all()).size() == 1);
  options = {};
  options.discussion_status = "closed";
  CHECK(run(api->get_repo_discussions("alice/m", options).all()).empty());
}

TEST_CASE_FIXTURE(discussion_fixture, "a history is squashed to one commit of the same files") {
  put_file("alice/m", "b.txt", "2");
  run(api->create_tag("alice/m", "v1"));
  run(api->super_squash_history("alice/m"));
  const auto history = run(api->list_repo_commits("alice/m").all());
  REQUIRE(history.size() == 1);
  CHECK(history[0].title == "Super-squash branch 'main' using cohub");
  CHECK(run(api->read_file("alice/m", "a.txt")) == "1");
  CHECK(run(api->read_file("alice/m", "b.txt")) == "2");
  super_squash_history_options of;
  of.branch = "v1";
  CHECK(failure_of(api->super_squash_history("alice/m", of)).code() == errc::bad_request);
  of.branch = "none";
  CHECK(failure_of(api->super_squash_history("alice/m", of)).code() == errc::revision_not_found);
}

TEST_CASE_FIXTURE(discussion_fixture, "access to a gated repository is asked for and decided on") {
  CHECK(failure_of(api->grant_access("alice/m", "bob")).code() == errc::bad_request);
  update_repo_settings_options gating;
  gating.gated = "manual";
  run(api->update_repo_settings("alice/m", gating));
  CHECK(failure_of(bob->read_file("alice/m", "a.txt")).code() == errc::gated_repository);
  CHECK(run(api->list_pending_access_requests("alice/m").all()).empty());
  run(api->grant_access("alice/m", "bob"));
  CHECK(run(bob->read_file("alice/m", "a.txt")) == "1");
  const auto accepted = run(api->list_accepted_access_requests("alice/m").all());
  REQUIRE(accepted.size() == 1);
  CHECK(accepted[0].username == "bob");
  CHECK(accepted[0].status == "accepted");
  run(api->reject_access_request("alice/m", "bob"));
  CHECK(run(api->list_rejected_access_requests("alice/m").all()).size() == 1);
  CHECK(failure_of(bob->read_file("alice/m", "a.txt")).code() == errc::gated_repository);
  run(api->cancel_access_request("alice/m", "bob"));
  CHECK(run(api->list_pending_access_requests("alice/m").all()).size() == 1);
  run(api->accept_access_request("alice/m", "bob"));
  CHECK(run(bob->read_file("alice/m", "a.txt")) == "1");
  CHECK(failure_of(bob->list_pending_access_requests("alice/m").all()).code() == errc::forbidden);
}

TEST_CASE_FIXTURE(discussion_fixture, "repositories are found by words, author, tags and task") {
  put_file("alice/bert-large", "README.md",
           "---\ntags: [nlp]\nlicense: mit\npipeline_tag: fill-mask\n---\n");
  put_file("alice/bert-small", "README.md", "---\ntags:\n- nlp\n- tiny\n---\n");
  const create_repo_options hidden{.is_private = true};
  run(api->create_repo("alice/bert-secret", hidden));
  const create_repo_options data{.type = repo_type::dataset};
  run(api->create_repo("alice/bert-data", data));
  const auto ids = [&](const list_repos_options& options, client& as) {
    std::vector<std::string> found;
    for (const auto& info : run(as.list_models(options).all())) found.push_back(info.id);
    std::sort(found.begin(), found.end());
    return found;
  };
  using names = std::vector<std::string>;
  CHECK(ids({.search = {"BERT"}}, *bob) == names{"alice/bert-large", "alice/bert-small"});
  CHECK(ids({.search = {"bert"}}, *api).size() == 3);
  CHECK(ids({.search = {"bert", "large"}}, *bob) == names{"alice/bert-large"});
  CHECK(ids({.filter = {"nlp", "tiny"}}, *bob) == names{"alice/bert-small"});
  CHECK(ids({.filter = {"license:mit"}}, *bob) == names{"alice/bert-large"});
  CHECK(ids({.pipeline_tag = "fill-mask"}, *bob) == names{"alice/bert-large"});
  CHECK(ids({.author = "bob"}, *bob).empty());
  const list_repos_options datasets{.author = "alice"};
  CHECK(run(bob->list_datasets(datasets).all()).size() == 1);
  CHECK(run(bob->list_spaces().all()).empty());
}

TEST_CASE_FIXTURE(discussion_fixture, "listings are paged, bounded and as full as asked") {
  for (int i = 0; i < 7; ++i) run(api->create_repo("alice/repo" + std::to_string(i)));
  hub->clear_requests();
  list_repos_options options;
  options.search = {"repo"};
  options.limit = 3;
  CHECK(run(api->list_models(options).all()).size() == 3);
  CHECK(hub->count_requests("/api/models?") == 1);
  options.limit = 0;
  CHECK(run(api->list_models(options).all()).size() == 7);
  options.expand = {"sha"};
  for (const auto& info : run(api->list_models(options).all())) {
    CHECK(info.sha.size() == 40);
    CHECK(info.created_at.empty());
    CHECK(info.json.find("lastModified") == std::string::npos);
  }
  repo_info_options of;
  of.expand = {"downloads", "cardData"};
  put_file("alice/m", "README.md", "---\nlicense: mit\n---\n");
  const auto info = run(api->model_info("alice/m", of));
  CHECK(info.downloads == 0);
  CHECK(info.json.find(R"("cardData":{"license":"mit"})") != std::string::npos);
  CHECK(info.sha.empty());
  of.files_metadata = true;
  CHECK(failure_of(api->model_info("alice/m", of)).code() == errc::invalid_argument);
  const auto whole = run(api->model_info("alice/m"));
  CHECK(whole.tags == std::vector<std::string>{"license:mit"});
}

TEST_CASE_FIXTURE(discussion_fixture, "the metadata of a card is checked before it is committed") {
  const auto refused = [&](const std::string& metadata) {
    commit_operation_add add;
    add.path_in_repo = "README.md";
    add.content = commit_operation_add::bytes{"---\n" + metadata + "---\n# Model\n"};
    std::vector<commit_operation> operations;
    operations.emplace_back(std::move(add));
    return failure_of(api->create_commit("alice/m", operations, "card"));
  };
  for (const char* metadata :
       {"license: proprietary\n", "tags: 1\n", "- a\n- b\n", "a: [1\n", "pipeline_tag: [a]\n",
        "model-index:\n- name: x\n", "model-index:\n- name: x\n  results:\n  - task: {}\n"}) {
    CAPTURE(metadata);
    CHECK(refused(metadata).code() == errc::bad_request);
  }
  CHECK(refused("license: proprietary\n").http().server_message.find("license") !=
        std::string::npos);
  CHECK(put_file("alice/m", "README.md", "---\nlicense: mit\ntags: [a]\nlanguage: en\n---\n").oid !=
        first.oid);
  put_file("alice/m", "README.md", "# No metadata\n");
}

TEST_CASE_FIXTURE(discussion_fixture, "a listing ends where its numbers make no sense") {
  const auto made = run(api->create_discussion("alice/m", "the only one"));
  hub_fault odd;
  odd.path_part = "/discussions?";
  odd.body = R"({"discussions":[{"num":)" + std::to_string(made.num) +
             R"(,"title":"the only one","status":"open"}],"count":9,"start":18446744073709551615})";
  hub->inject(odd);
  hub->clear_requests();
  CHECK(run(api->get_repo_discussions("alice/m").all()).size() == 1);
  CHECK(hub->count_requests("/discussions?") == 1);
}
