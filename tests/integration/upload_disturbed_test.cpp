#include "cohub/commit_scheduler.hpp"

#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <utility>

using namespace cohub;

namespace {

/// Meddles with files while an upload is on its way, once.
class meddler final : public observer {
 public:
  /// When it first hears of a file on that way.
  meddler(std::string file, transfer_progress::direction way, std::function<void()> act)
      : file_(std::move(file)), way_(way), act_(std::move(act)) {}
  /// When it first hears that a file is done.
  explicit meddler(std::function<void()> act) : after_one_(true), act_(std::move(act)) {}

  void on_progress(const transfer_progress& progress) override {
    if (!after_one_ && progress.file == file_ && progress.way == way_) act();
  }
  void on_total(const transfer_total& total) override {
    if (after_one_ && total.files_done > 0) act();
  }

 private:
  void act() {
    if (act_) std::exchange(act_, nullptr)();
  }

  std::string file_;
  transfer_progress::direction way_{};
  bool after_one_ = false;
  std::function<void()> act_;
};

/// A source without content that meddles when it is read.
class meddling_source final : public upload_source {
 public:
  explicit meddling_source(std::function<void()> act) : act_(std::move(act)) {}
  awaitable<std::size_t> read(std::span<std::byte>) override {
    act_();
    co_return 0;
  }

 private:
  std::function<void()> act_;
};

local_hub_config in_parts() {
  local_hub_config config;
  config.part_size = 600'000;  // longer than what is read at once
  return config;
}

struct disturbed_fixture : test::client_fixture {
  disturbed_fixture() : test::client_fixture(in_parts()) {
    run(api->create_repo("alice/m"));
    test::write_all(root / "w.bin", weights);
  }
  /// As programs save the next checkpoint: beside it, then renamed.
  void replace(const std::string& name, const std::string& content) {
    test::write_all(folder.path() / "next", content);
    std::filesystem::rename(folder.path() / "next", root / name);
  }
  /// Another time, whatever the clock's step.
  void rewrite(const std::string& name, const std::string& content) {
    test::write_all(root / name, content);
    std::filesystem::last_write_time(
        root / name, std::filesystem::file_time_type::clock::now() + std::chrono::seconds(10));
  }
  void append(const std::string& name, const std::string& content) {
    std::ofstream(root / name, std::ios::app) << content;
  }
  commit_scheduler watch(std::shared_ptr<observer> seen) {
    commit_scheduler_options of;
    of.every = {};
    of.observer = std::move(seen);
    return commit_scheduler(*api, "alice/m", root, of);
  }
  commit_info upload(std::shared_ptr<observer> seen) {
    upload_folder_options options;
    options.observer = std::move(seen);
    options.num_threads = 1;
    return run(api->upload_folder(root, "alice/m", options));
  }
  std::string large() { return test::read_all(run(api->download_file("alice/m", "w.bin"))); }
  std::size_t commits() { return run(api->list_repo_commits("alice/m").all()).size(); }
  std::size_t parts_noted() const {
    const auto state = folder.path() / "uploads" / "parts";
    std::size_t lines = 0;
    if (std::filesystem::exists(state))
      for (const auto& entry : std::filesystem::directory_iterator(state)) {
        const auto text = test::read_all(entry.path());
        lines += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
      }
    return lines < 2 ? 0 : lines - 2;  // what it is, and the plan
  }

  std::string weights = test::noise(1'500'000);
  std::filesystem::path root = folder.path() / "out";
};

constexpr auto hashing = transfer_progress::direction::hash;
constexpr auto sending = transfer_progress::direction::upload;

}  // namespace

TEST_CASE_FIXTURE(
    disturbed_fixture,
    "a watched file that is replaced while it is sent comes whole in the next round") {
  std::string next = test::noise(1'500'000, 2);
  std::function<void()> act;
  SUBCASE("by another") {
    act = [&] { replace("w.bin", next); };
  }
  SUBCASE("by a longer one") {
    next = test::noise(1'600'000, 2);
    act = [&] { replace("w.bin", next); };
  }
  SUBCASE("in place") {
    act = [&] { rewrite("w.bin", next); };
  }
  SUBCASE("in place, and longer") {
    next = test::noise(1'600'000, 2);
    act = [&] { rewrite("w.bin", next); };
  }
  auto scheduler = watch(std::make_shared<meddler>("w.bin", sending, act));
  CHECK(failure_of(scheduler.trigger()).code() == errc::content_mismatch);
  CHECK_FALSE(run(api->file_exists("alice/m", "w.bin")));
  run(scheduler.trigger());
  CHECK(large() == next);
}

TEST_CASE_FIXTURE(disturbed_fixture,
                  "what is appended to a watched file while it is sent comes in the next round") {
  auto scheduler =
      watch(std::make_shared<meddler>("w.bin", sending, [&] { append("w.bin", "more"); }));
  run(scheduler.trigger());
  CHECK(large() == weights);
  run(scheduler.trigger());
  CHECK(large() == weights + "more");
}

TEST_CASE_FIXTURE(disturbed_fixture,
                  "a small watched file that is replaced is committed whole, as it is then") {
  test::write_all(root / "state.json", R"({"step": 9})");
  std::string next;
  SUBCASE("by a longer one") { next = R"({"step": 10, "loss": 0.5})"; }
  SUBCASE("by a shorter one") { next = "{}"; }
  auto scheduler =
      watch(std::make_shared<meddler>("w.bin", hashing, [&] { replace("state.json", next); }));
  run(scheduler.trigger());
  CHECK(run(api->read_file("alice/m", "state.json")) == next);
  CHECK(large() == weights);
}

TEST_CASE_FIXTURE(disturbed_fixture, "a part that was read of a changed file is not remembered") {
  std::string other = weights;
  other[500'000] = static_cast<char>(other[500'000] ^ 1);
  const auto meddling =
      std::make_shared<meddler>("w.bin", sending, [&] { rewrite("w.bin", other); });
  CHECK_THROWS_AS(upload(meddling), error);
  CHECK(parts_noted() == 0);
  hub->clear_requests();
  connect();
  rewrite("w.bin", weights);
  upload({});
  CHECK(hub->count_requests("", "PUT") == 3);
  CHECK(large() == weights);
}

TEST_CASE_FIXTURE(disturbed_fixture,
                  "a small file that changes before the Hub is asked is committed as it is then") {
  test::write_all(root / "log.txt", "one\n");
  commit_operation_add log;
  log.path_in_repo = "log.txt";
  log.content = root / "log.txt";
  commit_operation_add source;
  source.path_in_repo = "empty.txt";
  source.content = std::make_shared<meddling_source>([&] { append("log.txt", "two\n"); });
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(log));
  operations.emplace_back(std::move(source));
  run(api->create_commit("alice/m", std::move(operations), "both"));
  CHECK(run(api->read_file("alice/m", "log.txt")) == "one\ntwo\n");
}

TEST_CASE_FIXTURE(disturbed_fixture,
                  "a small file that changes before a commit whose answer is lost is found in it") {
  test::write_all(root / "log.txt", "one\n");
  hub_fault lost;
  lost.path_part = "/commit/";
  lost.method = "POST";
  lost.lose_answer = true;
  hub->inject(lost);
  const auto before = commits();
  const auto info =
      upload(std::make_shared<meddler>("w.bin", hashing, [&] { append("log.txt", "two\n"); }));
  CHECK(commits() == before + 1);
  CHECK(run(api->repo_info("alice/m")).sha == info.oid);
  CHECK(run(api->read_file("alice/m", "log.txt")) == "one\ntwo\n");
}

TEST_CASE_FIXTURE(disturbed_fixture,
                  "a small file that is replaced while the commit is sent comes as it is then") {
  // More than is read at once, before it.
  for (const char* name : {"a.txt", "b.txt"})
    test::write_all(root / name, std::string(300'000, 'a'));
  test::write_all(root / "c.txt", "before");
  std::filesystem::remove(root / "w.bin");
  // Totals are told at most ten times a second: of the first file that is sent, only after a while.
  hub_fault slow;
  slow.path_part = "/preupload/";
  slow.delay = std::chrono::milliseconds(150);
  hub->inject(slow);
  std::string next;
  SUBCASE("of another length") { next = "after all"; }
  SUBCASE("of the same length") { next = "behind"; }
  upload(std::make_shared<meddler>([&] { replace("c.txt", next); }));
  CHECK(run(api->read_file("alice/m", "c.txt")) == next);
}

TEST_CASE_FIXTURE(
    disturbed_fixture,
    "a small file that grows large after the Hub was asked about it is asked about again") {
  const auto grown = test::noise(3'000'000, 3);
  SUBCASE("from nothing") { test::write_all(root / "x.bin", ""); }
  SUBCASE("from something") {
    test::write_all(root / "x.txt", "text");
    std::filesystem::rename(root / "x.txt", root / "x.dat");  // regular by its name and size
  }
  const std::string name = std::filesystem::exists(root / "x.bin") ? "x.bin" : "x.dat";
  upload(std::make_shared<meddler>("w.bin", hashing, [&] { rewrite(name, grown); }));
  std::vector<std::string> paths(1, name);
  const auto there = run(api->get_paths_info("alice/m", paths));
  REQUIRE(there.size() == 1);
  CHECK(there[0].lfs.has_value());
  CHECK(test::read_all(run(api->download_file("alice/m", name))) == grown);
  CHECK(hub->count_requests("/commit/", "POST") == 1);
}
