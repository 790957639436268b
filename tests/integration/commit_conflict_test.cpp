#include "support/added_bytes.hpp"
#include "support/client_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

using namespace cohub;
using test::add_bytes;
using test::client_fixture;

namespace {

class retry_counter final : public observer {
 public:
  void on_event(const transfer_event& event) override {
    if (event.what == transfer_event::kind::retry) ++retries;
  }
  std::atomic<int> retries{0};
};

struct conflict_fixture : client_fixture {
  conflict_fixture() { first = put_file("alice/m", "a.txt", "1"); }
  /// Another commit, by nobody who waits for it yet.
  void start(std::vector<commit_operation> operations, std::string message) {
    ++going;
    asio::co_spawn(context,
                   api->create_commit("alice/m", std::move(operations), std::move(message)),
                   [this](std::exception_ptr failure, const commit_info&) {
                     --going;
                     CHECK_FALSE(failure);
                   });
  }
  std::vector<git_commit_info> history() { return run(api->list_repo_commits("alice/m").all()); }
  commit_info first;
  int going = 0;
};

}  // namespace

TEST_CASE_FIXTURE(conflict_fixture, "a conflict tells the head that it met") {
  const auto second = put_file("alice/m", "a.txt", "2");
  const create_commit_options stale{.parent_commit = first.oid};
  const auto failure =
      failure_of(api->create_commit("alice/m", add_bytes("b.txt", "3"), "late", stale));
  CHECK(failure.code() == errc::commit_conflict);
  CHECK(failure.http().head == second.oid);
  CHECK(std::string(failure.what()).find(second.oid) != std::string::npos);
}

TEST_CASE_FIXTURE(conflict_fixture, "an answer that says that nothing was done is final") {
  hub_fault refusing;
  refusing.path_part = "/commit/";
  refusing.method = "POST";
  refusing.times = 0;
  refusing.status = 200;
  refusing.body = R"({"success":false,"error":"no room left"})";
  hub->inject(refusing);
  hub->clear_requests();
  const auto failure = failure_of(api->create_commit("alice/m", add_bytes("b.txt", "3"), "more"));
  CHECK(failure.code() == errc::bad_request);
  CHECK(failure.http().server_message == "no room left");
  CHECK(hub->count_requests("/commit/", "POST") == 1);
}

TEST_CASE_FIXTURE(conflict_fixture, "a commit that may be rebased goes on top of what is there") {
  const auto second = put_file("alice/m", "a.txt", "2");
  const create_commit_options rebasing{.parent_commit = first.oid, .rebase = true};
  const auto info =
      run(api->create_commit("alice/m", add_bytes("b.txt", "3"), "rebased", rebasing));
  const auto commits = history();
  CHECK(commits[0].commit_id == info.oid);
  CHECK(commits[1].commit_id == second.oid);
  // What the others did already need not be done again.
  const create_commit_options again{.parent_commit = first.oid, .rebase = true};
  const auto same = run(api->create_commit("alice/m", add_bytes("b.txt", "3"), "again", again));
  CHECK(same.unchanged);
  CHECK(same.oid == info.oid);
}

TEST_CASE_FIXTURE(conflict_fixture, "a deletion that may be rebased goes on top of what is there") {
  put_file("alice/m", "b.txt", "2");
  const auto heard = std::make_shared<retry_counter>();
  delete_file_options options{.parent_commit = first.oid, .observer = heard};
  SUBCASE("one file") {
    CHECK(failure_of(api->delete_file("a.txt", "alice/m", options)).code() ==
          errc::commit_conflict);
    CHECK(heard->retries == 0);
    options.rebase = true;
    CHECK_FALSE(run(api->delete_file("a.txt", "alice/m", options)).unchanged);
  }
  SUBCASE("by patterns") {
    options.rebase = true;
    CHECK_FALSE(run(api->delete_files("alice/m", {"a.*"}, options)).unchanged);
  }
  CHECK(heard->retries == 1);
  CHECK(history().size() == 4);
  CHECK(failure_of(api->read_file("alice/m", "a.txt")).code() == errc::entry_not_found);
  CHECK(run(api->read_file("alice/m", "b.txt")) == "2");
}

TEST_CASE_FIXTURE(conflict_fixture, "two commits at once without a parent are both made") {
  hub_fault beaten;
  beaten.path_part = "/commit/";
  beaten.method = "POST";
  beaten.times = 2;
  SUBCASE("409") { beaten.status = 409; }
  SUBCASE("412") { beaten.status = 412; }
  SUBCASE("more often than a request is tried") {
    beaten.status = 412;
    beaten.times = 8;
  }
  hub->inject(beaten);
  const auto info = run(api->create_commit("alice/m", add_bytes("b.txt", "3"), "second"));
  CHECK_FALSE(info.unchanged);
  CHECK(history().size() == 3);  // with the first one and the repository's own
  CHECK(run(api->file_exists("alice/m", "b.txt")));
}

TEST_CASE_FIXTURE(conflict_fixture, "a commit whose answer is lost is made once") {
  const auto before = history().size();
  hub_fault lost;
  lost.path_part = "/commit/";
  lost.method = "POST";
  lost.lose_answer = true;
  hub->inject(lost);
  std::vector<commit_operation> operations = add_bytes("b.txt", "3");
  for (auto& more : add_bytes("w.bin", test::noise(20'000))) operations.push_back(more);
  const auto info = run(api->create_commit("alice/m", operations, "once\nand only once"));
  CHECK(history().size() == before + 1);
  CHECK(history()[0].commit_id == info.oid);
  CHECK(info.commit_url.ends_with("/alice/m/commit/" + info.oid));
  CHECK(hub->count_requests("/commit/main", "POST") == 2);  // one of them is the fixture's
}

TEST_CASE_FIXTURE(conflict_fixture,
                  "where nobody can look, a lost commit is told to be perhaps made") {
  client_settings.retries.attempts = 1;
  connect();
  hub_fault lost;
  lost.path_part = "/commit/";
  lost.method = "POST";
  lost.lose_answer = true;
  hub->inject(lost);
  hub_fault blind;
  blind.path_part = "/commits/";
  blind.status = 500;
  blind.times = 0;
  hub->inject(blind);
  const auto failure = failure_of(api->create_commit("alice/m", add_bytes("b.txt", "3"), "lost"));
  CHECK(failure.code() == errc::truncated_body);
  CHECK(std::string(failure.what()).find("the commit may have been made") != std::string::npos);
  hub->clear_faults();
  CHECK(run(api->file_exists("alice/m", "b.txt")));
}

TEST_CASE_FIXTURE(conflict_fixture, "a deletion whose answer is lost is made once") {
  const auto before = history().size();
  hub_fault lost;
  lost.path_part = "/commit/";
  lost.method = "POST";
  lost.lose_answer = true;
  hub->inject(lost);
  const auto info = run(api->delete_file("a.txt", "alice/m"));
  CHECK(history().size() == before + 1);
  CHECK(history()[0].commit_id == info.oid);
}

TEST_CASE_FIXTURE(conflict_fixture, "a commit that never arrived is sent again") {
  const auto before = history().size();
  hub_fault failing;
  failing.path_part = "/commit/";
  failing.method = "POST";
  SUBCASE("cut off half-way") { failing.drop_request_after_bytes = 20; }
  SUBCASE("502") { failing.status = 502; }
  hub->inject(failing);
  const auto info = run(api->create_commit("alice/m", add_bytes("b.txt", "3"), "arrives"));
  CHECK(history().size() == before + 1);
  CHECK(history()[0].commit_id == info.oid);
}

TEST_CASE_FIXTURE(conflict_fixture, "another's commit of the same name is not taken for ours") {
  hub_fault failing;
  failing.path_part = "/commit/";
  failing.method = "POST";
  failing.status = 502;
  hub->inject(failing);
  // Somebody uses the same words between our first try and the second.
  std::optional<commit_info> theirs;
  client other(context.get_executor(), client_settings);
  class meddler final : public observer {
   public:
    std::function<void()> act;
    void on_event(const transfer_event& event) override {
      if (event.what == transfer_event::kind::retry && act) std::exchange(act, nullptr)();
    }
  };
  auto meddling = std::make_shared<meddler>();
  bool they_are_done = false;
  meddling->act = [&] {
    asio::co_spawn(context,
                   other.create_commit("alice/m", add_bytes("b.txt", "theirs"), "same words"),
                   [&](std::exception_ptr failure, commit_info info) {
                     CHECK_FALSE(failure);
                     theirs = std::move(info);
                     they_are_done = true;
                   });
  };
  create_commit_options options;
  options.observer = meddling;
  const auto ours =
      run(api->create_commit("alice/m", add_bytes("b.txt", "ours"), "same words", options));
  while (!they_are_done) context.run_one();
  REQUIRE(theirs);
  CHECK(theirs->oid != ours.oid);
  CHECK(history().size() == 4);
}

TEST_CASE_FIXTURE(conflict_fixture,
                  "a pull request that may have been opened is not opened twice") {
  hub_fault lost;
  lost.path_part = "/commit/";
  lost.method = "POST";
  lost.lose_answer = true;
  hub->inject(lost);
  const create_commit_options as_pr{.create_pr = true};
  CHECK_THROWS_WITH_AS(run(api->create_commit("alice/m", add_bytes("b.txt", "3"), "pr", as_pr)),
                       doctest::Contains("a pull request may have been opened"), error);
  CHECK(hub->count_requests("create_pr=1", "POST") == 2);  // preupload and commit
  const list_repo_refs_options all{.include_pull_requests = true};
  CHECK(run(api->list_repo_refs("alice/m", all)).pull_requests.size() == 1);
}

TEST_CASE_FIXTURE(conflict_fixture, "a Hub that says another thing the second time is obeyed") {
  put_file("alice/m", "c.txt", "moves the branch");
  // First it calls the file regular; asked again on top of the new head, large.
  hub_fault regular;
  regular.path_part = "/preupload/";
  regular.body = R"({"files":[{"path":"b.bin","uploadMode":"regular","shouldIgnore":false}],)"
                 R"("commitOid":")" +
                 first.oid + R"("})";
  hub->inject(regular);
  const std::string content = test::noise(5'000);
  const create_commit_options rebasing{.parent_commit = first.oid, .rebase = true};
  run(api->create_commit("alice/m", add_bytes("b.bin", content), "flips", rebasing));
  CHECK(hub->count_requests("", "PUT") == 1);
  CHECK(test::read_all(run(api->download_file("alice/m", "b.bin"))) == content);
}

TEST_CASE_FIXTURE(conflict_fixture,
                  "a pull request starts from the commit that it is to start from") {
  put_file("alice/m", "a.txt", "2");
  const create_commit_options options{.create_pr = true, .parent_commit = first.oid};
  const auto made = run(api->create_commit("alice/m", add_bytes("b.txt", "3"), "late", options));
  list_repo_commits_options of;
  of.revision = made.pr_revision;
  auto commits = api->list_repo_commits("alice/m", of);
  CHECK(run(commits.next())->commit_id == made.oid);
  CHECK(run(commits.next())->commit_id == first.oid);
}

TEST_CASE_FIXTURE(
    conflict_fixture,
    "a pull request that a Hub refuses on a stale parent is rebased, or told the head") {
  const auto second = put_file("alice/m", "a.txt", "2");
  hub_fault stale;
  stale.path_part = "/commit/";
  stale.method = "POST";
  stale.status = 412;
  hub->inject(stale);
  create_commit_options options{.create_pr = true, .parent_commit = first.oid};
  SUBCASE("told") {
    const auto failure =
        failure_of(api->create_commit("alice/m", add_bytes("b.txt", "3"), "late", options));
    CHECK(failure.code() == errc::commit_conflict);
    CHECK(failure.http().head == second.oid);
  }
  SUBCASE("rebased") {
    options.rebase = true;
    const auto info =
        run(api->create_commit("alice/m", add_bytes("b.txt", "3"), "rebased", options));
    CHECK(info.pr_num);
    const list_repo_refs_options all{.include_pull_requests = true};
    CHECK(run(api->list_repo_refs("alice/m", all)).pull_requests.size() == 1);
  }
}

TEST_CASE_FIXTURE(conflict_fixture, "a commit that arrives while it is looked for is found") {
  const auto before = history().size();
  hub_fault lost;
  lost.path_part = "/commit/";
  lost.method = "POST";
  lost.lose_answer = true;
  hub->inject(lost);
  // The history is asked for just before it arrives.
  hub_fault early;
  early.path_part = "/commits/";
  early.body = "[]";
  hub->inject(early);
  const auto info = run(api->delete_file("a.txt", "alice/m"));
  CHECK(history().size() == before + 1);
  CHECK(history()[0].commit_id == info.oid);
  CHECK_FALSE(info.unchanged);
}

TEST_CASE_FIXTURE(conflict_fixture,
                  "on a busy branch a commit that may be rebased is made at last") {
  const auto before = run(api->repo_info("alice/m"));
  put_file("alice/m", "c.txt", "moves the branch");
  // Others are always faster: the head that is told is an old one each time.
  hub_fault stale;
  stale.path_part = "/revision/main";
  stale.body = before.json;
  stale.times = 0;
  hub->inject(stale);
  hub->clear_requests();
  const create_commit_options rebasing{.parent_commit = before.sha, .rebase = true};
  run(api->create_commit("alice/m", add_bytes("b.txt", "3"), "late", rebasing));
  CHECK(hub->count_requests("/commit/", "POST") == 5);
  CHECK(run(api->read_file("alice/m", "b.txt")) == "3");
}

TEST_CASE_FIXTURE(conflict_fixture, "what another has deleted first need not be deleted again") {
  put_file("alice/m", "b.txt", "2");
  put_file("alice/m", "d/c.txt", "3");
  const auto before = run(api->repo_info("alice/m"));
  run(api->delete_file("a.txt", "alice/m"));
  hub_fault stale;
  stale.path_part = "/revision/main";
  stale.body = before.json;
  hub->inject(stale);
  std::vector<commit_operation> operations;
  for (const char* path : {"a.txt", "b.txt", "d/"})
    operations.emplace_back(commit_operation_delete{.path_in_repo = path});
  run(api->create_commit("alice/m", operations, "both"));
  CHECK_FALSE(run(api->file_exists("alice/m", "b.txt")));
  CHECK_FALSE(run(api->file_exists("alice/m", "d/c.txt")));
}

TEST_CASE_FIXTURE(conflict_fixture, "a longer wait than is allowed is an error at once") {
  hub_fault busy;
  busy.path_part = "/commit/";
  busy.method = "POST";
  busy.status = 503;
  busy.headers.emplace_back("Retry-After", "400");
  busy.times = 0;
  hub->inject(busy);
  hub->clear_requests();
  const auto failure = failure_of(api->create_commit("alice/m", add_bytes("b.txt", "3"), "m"));
  CHECK(failure.http().status == 503);
  CHECK(hub->count_requests("/commit/", "POST") == 1);
}

TEST_CASE_FIXTURE(conflict_fixture, "the Hub may ask to wait before a commit") {
  const auto before = history().size();
  hub_fault busy;
  busy.path_part = "/commit/";
  busy.method = "POST";
  busy.status = 429;
  busy.headers.emplace_back("Retry-After", "0");
  busy.times = 2;
  hub->inject(busy);
  run(api->create_commit("alice/m", add_bytes("b.txt", "3"), "patient"));
  CHECK(history().size() == before + 1);
}

TEST_CASE_FIXTURE(conflict_fixture, "a token that is revoked on the way is a typed error") {
  hub_fault revoked;
  revoked.status = 401;
  revoked.times = 0;
  std::size_t commits = 0;
  SUBCASE("before it is prepared") { revoked.path_part = "/preupload/"; }
  SUBCASE("before it is made") {
    revoked.path_part = "/commit/";
    commits = 1;
  }
  hub->inject(revoked);
  hub->clear_requests();
  const auto failure = failure_of(api->create_commit("alice/m", add_bytes("b.txt", "3"), "m"));
  CHECK(failure.code() == errc::unauthorized);
  CHECK(hub->count_requests("/commit/", "POST") == commits);
}

TEST_CASE_FIXTURE(conflict_fixture, "a Hub may take back that a file is large, or to be kept") {
  put_file("alice/m", "c.txt", "moves the branch");
  const std::string content = test::noise(5'000);
  hub_fault other;
  other.path_part = "/preupload/";
  const auto saying = [&](const std::string& file) {
    return R"({"files":[{"path":"b.txt",)" + file + R"(}],"commitOid":")" + first.oid + R"("})";
  };
  const create_commit_options rebasing{.parent_commit = first.oid, .rebase = true};
  SUBCASE("first large, then regular") {
    other.body = saying(R"("uploadMode":"lfs","shouldIgnore":false)");
    hub->inject(other);
    run(api->create_commit("alice/m", add_bytes("b.txt", content), "flips", rebasing));
    CHECK(hub->count_requests("", "PUT") == 1);  // for nothing
    const auto info = run(api->get_paths_info("alice/m", {"b.txt"}));
    CHECK_FALSE(info.at(0).lfs);
  }
  SUBCASE("first ignored, then not") {
    put_file("alice/m", "d.txt", "again");
    other.body = R"({"files":[{"path":"b.txt","uploadMode":"regular","shouldIgnore":true},)"
                 R"({"path":"e.txt","uploadMode":"regular","shouldIgnore":false}],"commitOid":")" +
                 first.oid + R"("})";
    hub->inject(other);
    auto operations = add_bytes("b.txt", content);
    for (auto& more : add_bytes("e.txt", "e")) operations.push_back(more);
    const auto info = run(api->create_commit("alice/m", operations, "flips", rebasing));
    CHECK(info.ignored.empty());
  }
  CHECK(run(api->read_file("alice/m", "b.txt")) == content);
}

TEST_CASE_FIXTURE(conflict_fixture, "a lost answer does not make a stale parent good") {
  put_file("alice/m", "a.txt", "2");
  const auto before = history().size();
  hub_fault failing;
  failing.path_part = "/commit/";
  failing.method = "POST";
  failing.status = 502;
  hub->inject(failing);
  hub->clear_requests();
  const create_commit_options stale{.parent_commit = first.oid};
  const auto failure =
      failure_of(api->create_commit("alice/m", add_bytes("b.txt", "3"), "late", stale));
  CHECK(failure.code() == errc::commit_conflict);
  CHECK(history().size() == before);
  // The head is asked for without all that the repository holds.
  CHECK(hub->count_requests("/revision/main", "GET") > 0);
  CHECK(hub->count_requests("/revision/main", "GET") ==
        hub->count_requests("/revision/main?expand=sha", "GET"));
}

TEST_CASE_FIXTURE(conflict_fixture,
                  "what was unchanged when the commit was prepared may not stay") {
  hub_fault earlier;
  earlier.path_part = "/preupload/";
  const auto there = run(api->get_paths_info("alice/m", {"a.txt"})).at(0).oid;
  earlier.body =
      R"({"files":[{"path":"a.txt","uploadMode":"regular","shouldIgnore":false,"oid":")" + there +
      R"("},{"path":"b.txt","uploadMode":"regular","shouldIgnore":false}],)" + R"("commitOid":")" +
      first.oid + R"("})";
  // As if it came after the Hub was asked.
  put_file("alice/m", "a.txt", "theirs");
  hub->inject(earlier);
  auto operations = add_bytes("a.txt", "1");
  for (auto& more : add_bytes("b.txt", "3")) operations.push_back(more);
  run(api->create_commit("alice/m", operations, "both"));
  CHECK(run(api->read_file("alice/m", "a.txt")) == "1");
  CHECK(run(api->read_file("alice/m", "b.txt")) == "3");
}

TEST_CASE_FIXTURE(conflict_fixture, "commits that are made at the same time are all made") {
  const auto before = history().size();
  for (int i = 0; i < 6; ++i)
    start(add_bytes("f" + std::to_string(i), "x"), "number " + std::to_string(i));
  while (going > 0) context.run_one();
  CHECK(history().size() == before + 6);
  for (int i = 0; i < 6; ++i) CHECK(run(api->file_exists("alice/m", "f" + std::to_string(i))));
}

TEST_CASE_FIXTURE(conflict_fixture, "a Hub that is busy may have opened the pull request") {
  hub_fault busy;
  busy.path_part = "/commit/";
  busy.method = "POST";
  busy.status = 503;
  busy.headers.emplace_back("Retry-After", "0");
  hub->inject(busy);
  hub->clear_requests();
  const create_commit_options as_pr{.create_pr = true};
  const auto failure =
      failure_of(api->create_commit("alice/m", add_bytes("b.txt", "3"), "pr", as_pr));
  CHECK(failure.http().status == 503);
  CHECK(hub->count_requests("/commit/", "POST") == 1);
}

TEST_CASE_FIXTURE(conflict_fixture, "a success that nobody can read is looked for, and made once") {
  const auto before = history().size();
  hub_fault compressed;
  compressed.path_part = "/commit/";
  compressed.method = "POST";
  compressed.headers.emplace_back("Content-Encoding", "gzip");
  hub->inject(compressed);
  const auto info = run(api->create_commit("alice/m", add_bytes("b.txt", "3"), "unread"));
  CHECK(history().size() == before + 1);
  CHECK(history()[0].commit_id == info.oid);
}

namespace {

/// More files than the Hub is asked for at once, one of which somebody else deletes.
struct many_files_fixture : conflict_fixture {
  many_files_fixture() {
    run(api->create_commit("alice/m", operations("first"), "all"));
    head = run(api->repo_info("alice/m")).sha;
    const list_repo_tree_options everything{.recursive = true};
    for (const auto& entry : run(api->list_repo_tree("alice/m", everything).all())) {
      if (!files.empty()) files += ',';
      files += R"({"path":")" + entry.path +
               R"(","uploadMode":"regular","shouldIgnore":false,"oid":")" + entry.oid + R"("})";
    }
    run(api->delete_file("f100.txt", "alice/m"));
    hub->clear_requests();
  }
  /// 300 files, of which the last is new.
  static std::vector<commit_operation> operations(const std::string& last) {
    std::vector<commit_operation> all;
    for (int i = 100; i < 400; ++i)
      for (auto& one : add_bytes("f" + std::to_string(i) + ".txt",
                                 i < 399 ? "file " + std::to_string(i) : last))
        all.push_back(std::move(one));
    return all;
  }
  /// The Hub answers as it was before that, later than other requests.
  hub_fault stale() const {
    hub_fault fault;
    fault.path_part = "/preupload/";
    fault.delay = std::chrono::milliseconds(100);
    fault.body = R"({"files":[)" + files + R"(],"commitOid":")" + head + R"("})";
    return fault;
  }
  void check_whole() {
    CHECK(run(api->read_file("alice/m", "f100.txt")) == "file 100");
    CHECK(run(api->read_file("alice/m", "f399.txt")) == "second");
  }
  std::string head;
  std::string files;
};

}  // namespace

TEST_CASE_FIXTURE(many_files_fixture, "what is unchanged is so at one head of the branch") {
  hub->inject(stale());
  run(api->create_commit("alice/m", operations("second"), "again"));
  CHECK(hub->count_requests("/preupload/") == 4);
  check_whole();
}

TEST_CASE_FIXTURE(many_files_fixture,
                  "a head that is known is believed, not an answer of another") {
  hub_fault beaten;
  beaten.path_part = "/commit/";
  beaten.method = "POST";
  beaten.status = 412;
  hub->inject(beaten);
  put_file("alice/m", "c.txt", "moves the branch");
  auto late = stale();
  late.delay = {};
  late.times = 0;
  hub->inject(late);
  run(api->create_commit("alice/m", operations("second"), "again"));
  check_whole();
}
