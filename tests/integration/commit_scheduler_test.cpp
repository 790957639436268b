#include "cohub/commit_scheduler.hpp"

#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <fstream>

using namespace cohub;

namespace {

class counter final : public observer {
 public:
  void on_event(const transfer_event& event) override {
    if (event.what == transfer_event::kind::committed) ++committed;
    if (event.what == transfer_event::kind::commit_failed) ++failed;
  }
  std::atomic<int> committed{0};
  std::atomic<int> failed{0};
};

struct scheduler_fixture : test::client_fixture {
  commit_scheduler_options options() {
    commit_scheduler_options of;
    of.every = {};
    of.observer = seen;
    return of;
  }
  static std::vector<commit_operation> checkpoint(int step) {
    commit_operation_add add;
    add.path_in_repo = "step" + std::to_string(step) + ".txt";
    add.content = commit_operation_add::bytes{std::to_string(step)};
    std::vector<commit_operation> operations;
    operations.emplace_back(std::move(add));
    return operations;
  }
  void append(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::app) << text;
  }
  std::size_t commits() { return run(api->list_repo_commits("alice/run").all()).size(); }

  std::shared_ptr<counter> seen = std::make_shared<counter>();
  std::filesystem::path logs = folder.path() / "logs";
};

}  // namespace

TEST_CASE_FIXTURE(scheduler_fixture,
                  "what is handed over is committed in order, in the background") {
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  for (int step = 1; step <= 3; ++step)
    scheduler.push(checkpoint(step), "step " + std::to_string(step));
  CHECK(scheduler.pending() == 3);  // nobody was made to wait
  const auto last = run(scheduler.stop());
  CHECK(scheduler.pending() == 0);
  CHECK(seen->committed == 3);
  const auto history = run(api->list_repo_commits("alice/run").all());
  CHECK(history[0].commit_id == last.oid);
  CHECK(history[0].title == "step 3");
  CHECK(history[2].title == "step 1");
  CHECK_THROWS_AS(scheduler.push(checkpoint(4), "late"), error);
}

TEST_CASE_FIXTURE(scheduler_fixture, "what changes in the folder is committed, and nothing twice") {
  append(logs / "a.log", "one\n");
  auto of = options();
  of.path_in_repo = "logs";
  commit_scheduler scheduler(*api, "alice/run", logs, of);
  CHECK_FALSE(run(scheduler.trigger()).unchanged);
  const auto before = commits();
  CHECK(run(scheduler.trigger()).unchanged);
  CHECK(commits() == before);
  append(logs / "a.log", "two\n");
  append(logs / "sub/b.log", "new\n");
  run(scheduler.trigger());
  CHECK(run(api->read_file("alice/run", "logs/a.log")) == "one\ntwo\n");
  CHECK(run(api->read_file("alice/run", "logs/sub/b.log")) == "new\n");
  append(logs / "a.log", "three\n");
  run(scheduler.stop());
  CHECK(run(api->read_file("alice/run", "logs/a.log")) == "one\ntwo\nthree\n");
}

TEST_CASE_FIXTURE(scheduler_fixture, "the folder is looked at by the clock") {
  append(logs / "a.log", "one\n");
  auto of = options();
  of.every = std::chrono::milliseconds(1);
  commit_scheduler scheduler(*api, "alice/run", logs, of);
  while (seen->committed < 1) context.run_one();
  append(logs / "a.log", "two\n");
  while (seen->committed < 2) context.run_one();
  CHECK(run(api->read_file("alice/run", "a.log")) == "one\ntwo\n");
}

TEST_CASE_FIXTURE(scheduler_fixture, "a failure is reported, and what failed is tried again") {
  run(api->create_repo("alice/run"));
  hub_fault failing;
  failing.path_part = "/commit/";
  failing.status = 403;
  hub->inject(failing);
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  scheduler.push(checkpoint(1), "one");
  while (seen->failed == 0) context.run_one();
  CHECK(scheduler.pending() == 1);
  scheduler.push(checkpoint(2), "two");
  run(scheduler.stop());
  CHECK(seen->committed == 2);
  CHECK(run(api->file_exists("alice/run", "step1.txt")));
  CHECK(run(api->file_exists("alice/run", "step2.txt")));
}

TEST_CASE_FIXTURE(scheduler_fixture, "the last failure surfaces where the scheduler is stopped") {
  run(api->create_repo("alice/run"));
  hub_fault failing;
  failing.path_part = "/commit/";
  failing.status = 403;
  failing.times = 0;
  hub->inject(failing);
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  scheduler.push(checkpoint(1), "one");
  CHECK(failure_of(scheduler.stop()).code() == errc::forbidden);
}

TEST_CASE_FIXTURE(scheduler_fixture, "at most one commit is in flight, and none after the end") {
  run(api->create_repo("alice/run"));
  hub_fault slow;
  slow.path_part = "/commit/";
  slow.stall = true;
  hub->inject(slow);
  {
    const auto of = options();
    commit_scheduler scheduler(*api, "alice/run", {}, of);
    scheduler.push(checkpoint(1), "one");
    scheduler.push(checkpoint(2), "two");
    while (hub->count_requests("/commit/", "POST") == 0) context.run_one();
    for (int i = 0; i < 20; ++i) context.poll_one();
    CHECK(hub->count_requests("/commit/", "POST") == 1);
  }
  context.poll();
  hub->clear_faults();
  CHECK(commits() == 1);  // the repository's own
  CHECK(hub->count_requests("/commit/", "POST") == 1);
}
