#include "cohub/commit_scheduler.hpp"

#include "support/client_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <optional>
#include <stdexcept>

using namespace cohub;

namespace {

class counter : public observer {
 public:
  void on_event(const transfer_event& event) override {
    if (event.what == transfer_event::kind::committed) ++committed;
    if (event.what == transfer_event::kind::commit_failed) ++failed;
    if (event.what == transfer_event::kind::warning) ++warnings;
  }
  std::atomic<int> committed{0};
  std::atomic<int> failed{0};
  std::atomic<int> warnings{0};
};

class text_source final : public upload_source {
 public:
  explicit text_source(std::string text) : text_(std::move(text)) {}
  awaitable<std::size_t> read(std::span<std::byte> buffer) override {
    if (text_ == "fails") throw std::runtime_error("the training has failed");
    if (text_ == "fails oddly") throw 1;
    if (text_ == "aborts") throw boost::system::system_error(asio::error::operation_aborted);
    const std::size_t count = std::min(buffer.size(), text_.size() - given_);
    std::memcpy(buffer.data(), text_.data() + given_, count);
    given_ += count;
    co_return count;
  }

 private:
  std::string text_;
  std::size_t given_ = 0;
};

/// What became of an operation that was started and is not waited for.
struct outcome {
  bool ended = false;
  std::exception_ptr failure{};
  void start(asio::io_context& context, awaitable<commit_info> operation) {
    asio::co_spawn(context, std::move(operation),
                   asio::bind_cancellation_slot(cancel.slot(),
                                                [this](std::exception_ptr e, const commit_info&) {
                                                  ended = true;
                                                  failure = e;
                                                }));
  }
  bool was_cancelled() const {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
      return e.code() == asio::error::operation_aborted;
    }
    return false;
  }
  asio::cancellation_signal cancel{};
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
  /// A checkpoint that can be read once.
  static std::vector<commit_operation> produced(std::string content) {
    commit_operation_add add;
    add.path_in_repo = "produced.txt";
    add.content = std::make_shared<text_source>(std::move(content));
    std::vector<commit_operation> operations;
    operations.emplace_back(std::move(add));
    return operations;
  }
  void refuse_commits(int status, std::size_t times) {
    const create_repo_options existing{.exist_ok = true};
    run(api->create_repo("alice/run", existing));
    hub_fault failing;
    failing.path_part = "/commit/";
    failing.method = "POST";
    failing.status = status;
    failing.times = times;
    hub->inject(failing);
  }
  /// Waits for a commit that the Hub does not answer.
  void stall_commit() {
    run(api->create_repo("alice/run"));
    hub_fault slow;
    slow.path_part = "/commit/";
    slow.method = "POST";
    slow.stall = true;
    hub->inject(slow);
  }
  void run_until_commit() {
    while (hub->count_requests("/commit/", "POST") == 0) context.run_one();
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

TEST_CASE_FIXTURE(scheduler_fixture,
                  "a source is read once, and whole in the commit that is retried") {
  refuse_commits(403, 1);
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  scheduler.push(produced("produced once"), "one");
  while (seen->failed == 0) context.run_one();
  CHECK(scheduler.pending() == 1);
  run(scheduler.stop());
  CHECK(run(api->read_file("alice/run", "produced.txt")) == "produced once");
}

TEST_CASE_FIXTURE(scheduler_fixture,
                  "what can never be committed is reported, and keeps back nothing") {
  append(logs / "a.log", "one\n");
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", logs, of);
  commit_operation_add bad;
  SUBCASE("a checkpoint that is gone") {
    bad.path_in_repo = "gone.bin";
    bad.content = folder.path() / "gone.bin";
  }
  SUBCASE("more of a file than there is") {
    bad.path_in_repo = "short.txt";
    bad.content = folder.path() / "short.txt";
    bad.first_bytes = 100;
    test::write_all(folder.path() / "short.txt", "short");
  }
  SUBCASE("a path that cannot be") {
    bad.path_in_repo = "a/../b";
    bad.content = commit_operation_add::bytes{"x"};
  }
  SUBCASE("a source that fails") {
    bad.path_in_repo = "x";
    bad.content = std::make_shared<text_source>("fails");
  }
  SUBCASE("a source that throws what is no exception") {
    bad.path_in_repo = "x";
    bad.content = std::make_shared<text_source>("fails oddly");
  }
  SUBCASE("413") {
    refuse_commits(413, 1);
    bad.path_in_repo = "x";
    bad.content = commit_operation_add::bytes{"x"};
  }
  SUBCASE("422") {
    refuse_commits(422, 1);
    bad.path_in_repo = "x";
    bad.content = commit_operation_add::bytes{"x"};
  }
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(bad));
  scheduler.push(std::move(operations), "bad");
  scheduler.push(checkpoint(2), "two");
  CHECK_THROWS(run(scheduler.trigger()));
  CHECK(scheduler.pending() == 0);
  CHECK(seen->failed == 1);
  CHECK(run(api->read_file("alice/run", "step2.txt")) == "2");
  CHECK(run(api->read_file("alice/run", "a.log")) == "one\n");
  CHECK(run(scheduler.stop()).unchanged);
}

TEST_CASE_FIXTURE(scheduler_fixture, "the client's observer hears of it where no other is named") {
  client_settings.observer = seen;
  connect();
  refuse_commits(403, 1);
  auto of = options();
  of.observer = nullptr;
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  scheduler.push(checkpoint(1), "one");
  while (seen->failed == 0) context.run_one();
  run(scheduler.stop());
  CHECK(seen->committed == 1);
}

TEST_CASE_FIXTURE(scheduler_fixture, "a stop that is cancelled commits nothing more") {
  stall_commit();
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  scheduler.push(checkpoint(1), "one");
  scheduler.push(checkpoint(2), "two");
  outcome stopping;
  stopping.start(context, scheduler.stop());
  run_until_commit();
  stopping.cancel.emit(asio::cancellation_type::terminal);
  while (!stopping.ended) context.run_one();
  CHECK(stopping.was_cancelled());
  hub->clear_faults();
  context.poll();
  CHECK(commits() == 1);
  CHECK(hub->count_requests("/commit/", "POST") == 1);
  CHECK(failure_of(scheduler.trigger()).code() == errc::invalid_argument);
}

TEST_CASE_FIXTURE(scheduler_fixture, "who waits for a commit is let go when the scheduler ends") {
  stall_commit();
  outcome waiting;
  {
    const auto of = options();
    commit_scheduler scheduler(*api, "alice/run", {}, of);
    scheduler.push(checkpoint(1), "one");
    SUBCASE("a trigger") { waiting.start(context, scheduler.trigger()); }
    SUBCASE("a stop") { waiting.start(context, scheduler.stop()); }
    run_until_commit();
    CHECK_FALSE(waiting.ended);
  }
  while (!waiting.ended) context.run_one();
  CHECK(waiting.was_cancelled());
  CHECK(hub->count_requests("/commit/", "POST") == 1);
}

TEST_CASE_FIXTURE(scheduler_fixture, "a stop that fails may be tried again") {
  refuse_commits(403, 0);
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  scheduler.push(checkpoint(1), "one");
  CHECK(failure_of(scheduler.stop()).code() == errc::forbidden);
  CHECK(scheduler.pending() == 1);
  scheduler.push(checkpoint(2), "two");
  CHECK(failure_of(scheduler.trigger()).code() == errc::forbidden);
  hub->clear_faults();
  run(scheduler.stop());
  CHECK(scheduler.pending() == 0);
  CHECK(run(api->file_exists("alice/run", "step1.txt")));
  CHECK(run(api->file_exists("alice/run", "step2.txt")));
  CHECK_THROWS_AS(scheduler.push(checkpoint(3), "late"), error);
}

TEST_CASE_FIXTURE(scheduler_fixture, "the history may be squashed after each commit") {
  auto of = options();
  of.squash_history = true;
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  scheduler.push(checkpoint(1), "one");
  run(scheduler.trigger());
  scheduler.push(checkpoint(2), "two");
  run(scheduler.stop());
  CHECK(commits() == 1);
  CHECK(run(api->file_exists("alice/run", "step1.txt")));
  CHECK(run(api->file_exists("alice/run", "step2.txt")));
}

TEST_CASE_FIXTURE(scheduler_fixture, "what a Hub refuses for now is kept") {
  for (const int status : {402, 404, 408, 426}) {
    CAPTURE(status);
    refuse_commits(status, 0);
    const auto of = options();
    commit_scheduler scheduler(*api, "alice/run", {}, of);
    scheduler.push(checkpoint(status), "kept");
    CHECK(failure_of(scheduler.trigger()).http().status == status);
    CHECK(scheduler.pending() == 1);
    hub->clear_faults();
    run(scheduler.stop());
    CHECK(run(api->file_exists("alice/run", "step" + std::to_string(status) + ".txt")));
  }
}

TEST_CASE_FIXTURE(scheduler_fixture, "a checkpoint that the store refuses for now is kept") {
  run(api->create_repo("alice/run"));
  hub_fault refusing;
  refusing.method = "PUT";
  refusing.status = 400;  // as stores call a request that was too slow
  refusing.times = 0;
  hub->inject(refusing);
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  commit_operation_add add;
  add.path_in_repo = "w.bin";
  add.content = commit_operation_add::bytes{test::noise(20'000)};
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(add));
  scheduler.push(std::move(operations), "weights");
  CHECK(failure_of(scheduler.trigger()).code() == errc::bad_request);
  CHECK(scheduler.pending() == 1);
  hub->clear_faults();
  run(scheduler.stop());
  CHECK(run(api->file_exists("alice/run", "w.bin")));
}

namespace {

/// Writes the file anew when it has been hashed for the first time.
class rewriter final : public counter {
 public:
  explicit rewriter(std::filesystem::path file) : file_(std::move(file)) {}
  void on_progress(const transfer_progress& progress) override {
    if (progress.way != transfer_progress::direction::hash || done_) return;
    done_ = true;
    test::write_all(file_, test::noise(30'000, 2));
  }

 private:
  std::filesystem::path file_;
  bool done_ = false;
};

}  // namespace

TEST_CASE_FIXTURE(scheduler_fixture, "a checkpoint that is written anew meanwhile is kept") {
  run(api->create_repo("alice/run"));
  const auto file = folder.path() / "w.bin";
  test::write_all(file, test::noise(20'000));
  auto of = options();
  of.observer = seen = std::make_shared<rewriter>(file);
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  commit_operation_add add;
  add.path_in_repo = "w.bin";
  add.content = file;
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(add));
  scheduler.push(std::move(operations), "weights");
  while (seen->failed == 0) context.run_one();
  CHECK(scheduler.pending() == 1);
  run(scheduler.stop());
  CHECK(test::read_all(run(api->download_file("alice/run", "w.bin"))) == test::noise(30'000, 2));
}

TEST_CASE_FIXTURE(scheduler_fixture, "a folder that is not made yet holds nothing") {
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", logs, of);
  CHECK(run(scheduler.trigger()).unchanged);
  CHECK(seen->failed == 0);
  append(logs / "a.log", "one\n");
  run(scheduler.trigger());
  CHECK(run(api->read_file("alice/run", "a.log")) == "one\n");
  std::filesystem::remove_all(logs);
  CHECK(run(scheduler.stop()).unchanged);
}

TEST_CASE_FIXTURE(scheduler_fixture,
                  "a change that the size and the time do not tell is committed") {
  append(logs / "state.json", "one");
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", logs, of);
  run(scheduler.trigger());
  const auto time = std::filesystem::last_write_time(logs / "state.json");
  std::ofstream(logs / "state.json") << "two";
  std::filesystem::last_write_time(logs / "state.json", time);
  CHECK_FALSE(run(scheduler.trigger()).unchanged);
  CHECK(run(api->read_file("alice/run", "state.json")) == "two");
}

TEST_CASE_FIXTURE(scheduler_fixture, "a look that is never due is not made") {
  append(logs / "a.log", "one\n");
  auto of = options();
  of.every = std::chrono::steady_clock::duration::max();
  hub->clear_requests();
  commit_scheduler scheduler(*api, "alice/run", logs, of);
  for (int i = 0; i < 100; ++i) context.poll_one();
  run(api->whoami());
  CHECK(hub->count_requests("") == 1);
  run(scheduler.stop());
  CHECK(seen->committed == 1);
}

TEST_CASE_FIXTURE(scheduler_fixture, "one that its own observer ends commits nothing more") {
  struct ending : observer {
    void on_event(const transfer_event& event) override {
      if (event.what == transfer_event::kind::committed) scheduler.reset();
    }
    std::optional<commit_scheduler> scheduler;
  };
  const auto listener = std::make_shared<ending>();
  auto of = options();
  of.observer = listener;
  listener->scheduler.emplace(*api, "alice/run", std::filesystem::path(), of);
  listener->scheduler->push(checkpoint(1), "one");
  listener->scheduler->push(checkpoint(2), "two");
  outcome waiting;
  waiting.start(context, listener->scheduler->trigger());
  while (!waiting.ended) context.run_one();
  CHECK(waiting.was_cancelled());
  CHECK(run(api->file_exists("alice/run", "step1.txt")));
  CHECK_FALSE(run(api->file_exists("alice/run", "step2.txt")));
}

TEST_CASE_FIXTURE(scheduler_fixture, "one that goes before anything ran leaves nothing") {
  const auto of = options();
  hub->clear_requests();
  { commit_scheduler scheduler(*api, "alice/run", {}, of); }
  while (context.poll_one() > 0) {
  }
  CHECK(hub->count_requests("") == 0);
}

TEST_CASE_FIXTURE(scheduler_fixture, "one that another is moved into commits nothing more") {
  stall_commit();
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  scheduler.push(checkpoint(1), "one");
  outcome waiting;
  waiting.start(context, scheduler.trigger());
  run_until_commit();
  commit_scheduler next(*api, "alice/next", {}, of);
  scheduler = std::move(next);
  while (!waiting.ended) context.run_one();
  CHECK(waiting.was_cancelled());
  hub->clear_faults();
  scheduler.push(checkpoint(2), "two");
  run(scheduler.stop());
  CHECK(run(api->file_exists("alice/next", "step2.txt")));
}

TEST_CASE_FIXTURE(scheduler_fixture, "what no repository takes is told of once") {
  append(logs / "a.log", "one\n");
  append(logs / ".cache/b.log", "two\n");
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", logs, of);
  for (int i = 0; i < 3; ++i) run(scheduler.trigger());
  CHECK(seen->warnings == 1);
}

TEST_CASE_FIXTURE(scheduler_fixture, "a source that fails as if it were cancelled is told of") {
  const auto of = options();
  commit_scheduler scheduler(*api, "alice/run", {}, of);
  scheduler.push(produced("aborts"), "one");
  outcome waiting;
  waiting.start(context, scheduler.trigger());
  while (!waiting.ended) context.run_one();
  CHECK(waiting.was_cancelled());
  CHECK(scheduler.pending() == 0);
  CHECK(seen->failed == 1);
  scheduler.push(checkpoint(2), "two");
  run(scheduler.stop());
  CHECK(run(api->file_exists("alice/run", "step2.txt")));
}
