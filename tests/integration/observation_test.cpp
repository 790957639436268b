#include "cohub/commit_scheduler.hpp"

#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

/// Remembers all that it is told, from any thread.
class listener final : public observer {
 public:
  void on_progress(const transfer_progress& progress) override {
    const std::scoped_lock guard(mutex_);
    progress_.push_back(progress);
  }
  void on_total(const transfer_total& total) override {
    const std::scoped_lock guard(mutex_);
    totals_.push_back(total);
  }
  void on_event(const transfer_event& event) override {
    const std::scoped_lock guard(mutex_);
    events_.push_back(event);
  }
  std::vector<transfer_progress> progress() const { return copy(progress_); }
  std::vector<transfer_total> totals() const { return copy(totals_); }
  std::vector<transfer_event> events() const { return copy(events_); }
  std::size_t count(transfer_event::kind what) const {
    const auto all = events();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [what](const auto& e) { return e.what == what; }));
  }

 private:
  template <class T>
  std::vector<T> copy(const std::vector<T>& kept) const {
    const std::scoped_lock guard(mutex_);
    return kept;
  }
  mutable std::mutex mutex_;
  std::vector<transfer_progress> progress_;
  std::vector<transfer_total> totals_;
  std::vector<transfer_event> events_;
};

struct fixture : test::client_fixture {
  std::mutex mutex;
  std::vector<log_record> records;
  std::shared_ptr<listener> heard = std::make_shared<listener>();

  void connect_with_log(log_level threshold) {
    client_settings.log = [this](const log_record& record) {
      const std::scoped_lock guard(mutex);
      records.push_back(record);
    };
    client_settings.log_threshold = threshold;
    client_settings.observer = heard;
    connect();
  }
  std::vector<log_record> logged(const std::string& operation) {
    const std::scoped_lock guard(mutex);
    std::vector<log_record> found;
    for (const auto& record : records)
      if (record.operation == operation) found.push_back(record);
    return found;
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "each request is logged, with neither token nor query") {
  put_file("alice/model", "w.safetensors", test::noise(300'000));
  connect_with_log(log_level::debug);
  run(api->download_file("alice/model", "w.safetensors"));
  const auto requests = logged("request");
  REQUIRE(requests.size() >= 2);
  CHECK(requests[0].method == "HEAD");
  CHECK(requests[0].url == hub->endpoint() + "/alice/model/resolve/main/w.safetensors");
  CHECK(requests[0].status / 100 == 3);
  CHECK(requests[0].duration.count() > 0);
  CHECK_FALSE(requests[0].request_id.empty());
  CHECK(requests[0].time.time_since_epoch().count() > 0);
  CHECK(requests.back().method == "GET");
  CHECK(requests.back().url.starts_with(hub->content_endpoint()));
  const std::scoped_lock guard(mutex);
  for (const auto& record : records) {
    const auto line = to_line(record);
    CAPTURE(line);
    CHECK(line.find(token) == line.npos);
    CHECK(line.find('?') == line.npos);
    CHECK(line.find('\n') == line.npos);
  }
}

TEST_CASE_FIXTURE(fixture, "a request that gets no answer is logged with the reason") {
  put_file("alice/model", "a.txt", "content");
  connect_with_log(log_level::debug);
  run(hub->stop());
  failure_of(api->download_file("alice/model", "a.txt"));
  const auto requests = logged("request");
  REQUIRE_FALSE(requests.empty());
  CHECK(requests[0].status == 0);
  CHECK_FALSE(requests[0].message.empty());
  CHECK(requests[0].request_id.size() == 36);
}

TEST_CASE_FIXTURE(fixture, "what happens to a file is logged at its level, once") {
  put_file("alice/model", "a.txt", "content");
  connect_with_log(log_level::info);
  hub_fault cut;
  cut.method = "GET";
  cut.path_part = "/resolve/";
  cut.drop_after_bytes = 3;
  hub->inject(cut);
  run(api->download_file("alice/model", "a.txt"));
  const auto transfers = logged("transfer");
  REQUIRE(transfers.size() == 2);
  CHECK(transfers[0].level == log_level::warning);  // tried again
  CHECK(transfers[0].file == "a.txt");
  CHECK(transfers[1].level == log_level::info);
  CHECK(transfers[1].message == "finished");
  CHECK(logged("request").empty());  // those are for debugging
}

TEST_CASE_FIXTURE(fixture, "what happens to an upload is logged once, whether anybody listens") {
  const auto options = [&] {
    upload_large_folder_options of;
    SUBCASE("the client's observer") {}
    SUBCASE("the call's own observer") { of.observer = std::make_shared<listener>(); }
    SUBCASE("nobody") { heard = nullptr; }
    return of;
  }();
  connect_with_log(log_level::debug);
  run(api->create_repo("alice/model"));
  const auto big = test::noise(300'000);
  test::write_all(folder.path() / "f" / "w.safetensors", big);
  const auto made = run(api->upload_large_folder(folder.path() / "f", "alice/model", options));
  auto transfers = logged("transfer");
  REQUIRE(transfers.size() == 2);
  CHECK(transfers[0].file == "w.safetensors");
  CHECK(transfers[0].message == "finished");
  CHECK(transfers[1].message == "committed: " + made.oid);

  commit_scheduler_options watching;
  watching.every = {};
  commit_scheduler scheduler(*api, "alice/model", {}, watching);
  commit_operation_add add;
  add.path_in_repo = "again.safetensors";
  add.content = commit_operation_add::bytes{big};
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(add));
  scheduler.push(std::move(operations), "again");
  run(scheduler.stop());
  transfers = logged("transfer");
  REQUIRE(transfers.size() == 4);
  CHECK(transfers[2].file == "again.safetensors");
  CHECK(transfers[2].message == "the Hub has it already");
  CHECK(transfers[3].message.starts_with("committed: "));
}

TEST_CASE_FIXTURE(fixture, "the Hub's warnings are told once a topic") {
  put_file("alice/model", "a.txt", "content");
  connect_with_log(log_level::warning);
  hub_fault warn;
  warn.path_part = "/resolve/";
  warn.method = "HEAD";
  warn.times = 0;
  warn.status = 404;
  warn.headers = {{"X-Error-Code", "EntryNotFound"},
                  {"X-HF-Warning", "observation-test-topic; use the new thing"}};
  hub->inject(warn);
  failure_of(api->download_file("alice/model", "a.txt"));
  failure_of(api->download_file("alice/model", "a.txt"));
  hub->clear_faults();
  warn.headers[1].second = "; no topic at all";
  hub->inject(warn);
  failure_of(api->download_file("alice/model", "a.txt"));
  const auto warnings = logged("request");
  REQUIRE(warnings.size() == 2);
  CHECK(warnings[0].message == "use the new thing");
  CHECK(warnings[1].message == "no topic at all");
  CHECK(heard->count(transfer_event::kind::warning) == 2);
}

TEST_CASE_FIXTURE(fixture, "a limit that the Hub sets is told") {
  put_file("alice/model", "a.txt", "content");
  connect_with_log(log_level::warning);
  hub_fault limit;
  limit.method = "GET";
  limit.path_part = "/resolve/";
  limit.status = 429;
  limit.headers = {{"Retry-After", "0"}};
  hub->inject(limit);
  run(api->download_file("alice/model", "a.txt"));
  CHECK(heard->count(transfer_event::kind::rate_limited) == 1);
  const auto told = logged("request");
  REQUIRE(told.size() == 1);
  CHECK(told[0].status == 429);
}

TEST_CASE_FIXTURE(fixture, "an observer hears of each file and of the total") {
  constexpr std::size_t size = 2'000'000;
  for (const char* name : {"a.bin", "b.bin", "c.bin"})
    put_file("alice/model", name, test::noise(size, static_cast<std::uint32_t>(name[0])));
  put_file("alice/model", "empty.txt", "");
  connect_with_log(log_level::error);
  std::size_t done = 0;
  for (const char* name : {"a.bin", "b.bin", "c.bin", "empty.txt"})
    asio::co_spawn(context, api->download_file("alice/model", name),
                   [&done](std::exception_ptr e, fs::path) {
                     CHECK_FALSE(e);
                     ++done;
                   });
  while (done < 4) context.run_one();
  const auto totals = heard->totals();
  REQUIRE_FALSE(totals.empty());
  CHECK(totals.back().files_done == 4);
  CHECK(totals.back().files_total == 4);
  CHECK(totals.back().bytes_done == 3 * size);
  CHECK(totals.back().bytes_total == 3 * size);
  std::uint64_t whole = 0;
  for (const auto& progress : heard->progress())
    if (progress.bytes_done == progress.bytes_total) whole += progress.bytes_total;
  CHECK(whole == 3 * size);
  CHECK(heard->count(transfer_event::kind::finished) == 4);
}

TEST_CASE_FIXTURE(fixture, "HF_HUB_DOWNLOAD_TIMEOUT bounds each step of a request for content") {
  put_file("alice/model", "a.txt", "content");
  const char* const value = std::getenv("HF_HUB_DOWNLOAD_TIMEOUT");
  const std::string before = value == nullptr ? "" : value;
  ::setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1", 1);
  client_settings.retries.attempts = 1;
  connect();
  ::setenv("HF_HUB_DOWNLOAD_TIMEOUT", before.c_str(), 1);
  hub_fault stall;
  stall.method = "GET";
  stall.path_part = "/resolve/";
  stall.times = 0;
  stall.stall = true;
  hub->inject(stall);
  CHECK(failure_of(api->download_file("alice/model", "a.txt")).code() == errc::timed_out);
}
