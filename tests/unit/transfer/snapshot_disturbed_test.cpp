#include "cache/file_lock.hpp"
#include "cache/layout.hpp"
#include "snapshot_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

using namespace cohub;
using fixture = test::snapshot_fixture;
using test::scripted_commit;
using test::scripted_reply;
using test::seen_request;
namespace fs = std::filesystem;

// What others do to the cache, and a Hub to its listing, while a snapshot comes.

TEST_CASE_FIXTURE(fixture, "small files that nobody locks leave no lock files") {
  files.erase("model.bin");
  download();
  CHECK(names_below(shared->cache_dir / ".locks") ==
        std::set<std::string>{"models--o--m/" + cache::snapshot_lock_name(scripted_commit)});
}

TEST_CASE_FIXTURE(fixture,
                  "a snapshot under way is kept from deletion, and is nobody's when done") {
  const auto lock =
      shared->cache_dir / ".locks/models--o--m" / cache::snapshot_lock_name(scripted_commit);
  std::size_t held = 0;
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    if (!cache::try_lock_file(lock)) ++held;
    CHECK(cache::try_share_file(lock).has_value());
    return {};
  };
  download();
  CHECK(held > 0);
  CHECK(cache::try_lock_file(lock).has_value());
}

TEST_CASE_FIXTURE(fixture, "what others delete while a snapshot comes is fetched again") {
  bool deleted = false;
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    const auto snapshot = repo_folder() / "snapshots" / scripted_commit;
    if (!deleted && fs::exists(snapshot / "README.md")) {
      fs::remove_all(snapshot);  // as clients do that know of no lock
      deleted = true;
    }
    return {};
  };
  files["model.bin"].content = test::patterned(8u << 20);  // several requests
  SUBCASE("as usual") {}
  SUBCASE("by force") { options.force_download = true; }
  const auto path = download();
  CHECK(deleted);
  CHECK(names_below(path) == all_names());
  CHECK(observer->count(transfer_event::kind::warning) == 1);
  CHECK(observer->count(transfer_event::kind::verified) <= all_names().size() + 1);
}

TEST_CASE_FIXTURE(fixture, "what is always deleted meanwhile is an error in the end") {
  api_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.find("/resolve/") != std::string::npos)
      fs::remove_all(repo_folder() / "snapshots");
    return {};
  };
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    fs::remove_all(repo_folder());
    return {};
  };
  CHECK(failure() != boost::system::error_code());
  CHECK_FALSE(fs::exists(repo_folder() / "refs/main"));
}

TEST_CASE_FIXTURE(fixture, "what another process brings meanwhile counts as done") {
  struct totalling : cohub::observer {
    transfer_total last{};
    void on_total(const transfer_total& total) override { last = total; }
  };
  const auto totals = std::make_shared<totalling>();
  shared->totals = std::make_shared<transfer::observer_totals>();
  options.observer = totals;
  const cache::repo_layout layout(shared->cache_dir, repo_type::model, "o/m");
  const auto etag = etag_of("model.bin");
  fs::create_directories(layout.lock(etag).parent_path());
  auto lock = cache::try_lock_file(layout.lock(etag));
  REQUIRE(lock.has_value());
  bool done = false;
  asio::co_spawn(context, transfer::snapshot_download(shared, "o/m", options),
                 [&](std::exception_ptr failure, const fs::path&) {
                   CHECK_FALSE(failure);
                   done = true;
                 });
  while (!fs::exists(layout.pointer(scripted_commit, "README.md"))) context.run_one();
  io::write_file_atomically(layout.blob(etag), files["model.bin"].content);
  lock.reset();
  while (!done) context.run_one();
  CHECK(requests("GET /model.bin") == 0);
  CHECK(totals->last.files_done == files.size());
  CHECK(totals->last.files_total == files.size());
  CHECK(totals->last.bytes_done == totals->last.bytes_total);
}

TEST_CASE_FIXTURE(fixture, "a listing that was wrong once is asked for again") {
  std::size_t answered = 0;
  std::string wrong;
  api_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.find("/tree/") == std::string::npos || answered++ > 0) return {};
    return scripted_reply::text(200, wrong);
  };
  SUBCASE("one without files") {
    wrong = "[]";
    download();
  }
  SUBCASE("one with another checksum") {
    files["a.txt"].content = "this";
    wrong = listing();
    files["a.txt"].content = "that";
    CHECK(failure() == errc::content_mismatch);
  }
  SUBCASE("one with another size of a large file") {
    files["big.bin"].content = test::patterned(5u << 20);
    wrong = listing();
    const std::string right = "\"size\":" + std::to_string(5u << 20);
    for (auto at = wrong.find(right); at != wrong.npos; at = wrong.find(right, at + 1))
      wrong.insert(at + right.size(), "0");
    CHECK(failure());
  }
  SUBCASE("one with a file that the commit does not have") {
    auto all = files;
    files["gone.txt"].content = "gone";
    wrong = listing();
    files = all;
    CHECK(failure() == errc::entry_not_found);
  }
  SUBCASE("one that a forced run does not believe") {
    files["late.txt"].content = "late";
    auto all = files;
    files.erase("late.txt");
    wrong = listing();
    files = all;
    download();
    options.force_download = true;
  }
  CHECK(names_below(download()) == all_names());
}

TEST_CASE_FIXTURE(fixture, "a cached file that has lost bytes is fetched again") {
  const auto snapshot = download();
  for (const char* name : {"README.md", "model.bin"}) {
    const auto path = snapshot / name;
    std::filesystem::resize_file(path, 1);
    download();
    CHECK(io::read_file(path, 2u << 20) == files[name].content);
  }
}

TEST_CASE_FIXTURE(fixture, "a small file whose blob another holds is waited for") {
  const auto lock = shared->cache_dir / ".locks/models--o--m" / (etag_of("data/a.csv") + ".lock");
  fs::create_directories(lock.parent_path());
  auto held = cache::try_lock_file(lock);
  REQUIRE(held.has_value());
  bool ended = false;
  asio::co_spawn(context, transfer::snapshot_download(shared, "o/m", options),
                 [&](std::exception_ptr e, const fs::path&) {
                   CHECK_FALSE(e);
                   ended = true;
                 });
  const auto others = files.size() - 1;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!ended && observer->count(transfer_event::kind::finished) < others &&
         std::chrono::steady_clock::now() < deadline)
    context.run_one_for(std::chrono::seconds(1));
  CHECK(observer->count(transfer_event::kind::finished) == others);
  CHECK_FALSE(ended);
  CHECK_FALSE(fs::exists(repo_folder() / "snapshots" / scripted_commit / "data/a.csv"));
  held.reset();
  while (!ended) context.run_one_for(std::chrono::seconds(1));
  CHECK(names_below(repo_folder() / "snapshots" / scripted_commit) == all_names());
}

TEST_CASE_FIXTURE(fixture, "a blob that somebody deletes meanwhile is not linked") {
  download();
  fs::remove_all(repo_folder() / "snapshots");
  const auto etag = etag_of("data/a.csv");
  auto held = cache::try_lock_file(shared->cache_dir / ".locks/models--o--m" / (etag + ".lock"));
  REQUIRE(held.has_value());
  shared->lock_patience = std::chrono::milliseconds(1);
  bool ended = false;
  asio::co_spawn(context, transfer::snapshot_download(shared, "o/m", options),
                 [&](std::exception_ptr e, const fs::path&) {
                   CHECK_FALSE(e);
                   ended = true;
                 });
  context.restart();
  while (!ended && observer->count(transfer_event::kind::lock_wait) == 0) context.run_one();
  CHECK_FALSE(ended);
  fs::remove(repo_folder() / "blobs" / etag);
  held.reset();
  while (!ended) context.run_one();
  const auto path = repo_folder() / "snapshots" / scripted_commit;
  CHECK(io::read_file(path / "data/a.csv", 100) == "a");
}
