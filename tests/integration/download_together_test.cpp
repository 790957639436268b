#include "support/client_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <list>
#include <set>
#include <vector>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t large = 3'000'001;
constexpr std::uint64_t chunk = 256 * 1024;

/// Many who ask for one file at the same time.
struct fixture : test::client_fixture {
  struct caller {
    asio::cancellation_signal cancel;
    bool done = false;
    std::exception_ptr failure;
    fs::path path;
  };

  std::string content = test::noise(large);
  std::list<caller> callers;
  download_options options;

  fixture() {
    put_file("alice/model", "w.bin", content);
    hub->clear_requests();
    options.connections = 2;
    options.chunk_size = chunk;
  }

  void ask(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      auto& self = callers.emplace_back();
      asio::co_spawn(context, api->download_file("alice/model", "w.bin", options),
                     asio::bind_cancellation_slot(self.cancel.slot(),
                                                  [&self](std::exception_ptr e, fs::path path) {
                                                    self.done = true;
                                                    self.failure = e;
                                                    self.path = std::move(path);
                                                  }));
    }
  }
  void stop(caller& self, asio::cancellation_type how) {
    bool emitted = false;
    asio::post(context, [&] {
      if (!self.done) self.cancel.emit(how);
      emitted = true;
    });
    run_until([&] { return emitted; });
  }
  template <class Condition>
  void run_until(Condition reached) {
    context.restart();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!reached()) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      context.run_one_for(std::chrono::milliseconds(100));
      if (context.stopped()) context.restart();
    }
  }
  void run_until_all_done() {
    run_until([this] {
      return std::all_of(callers.begin(), callers.end(), [](const auto& c) { return c.done; });
    });
  }
  std::size_t content_requests() const {
    std::size_t found = 0;
    for (const auto& request : hub->requests()) found += request.method == "GET";
    return found;
  }
  /// Answers after the first few ranges never end.
  void stall_content(std::size_t skip) {
    hub_fault stall;
    stall.where = hub_fault::listener::content;
    stall.method = "GET";
    stall.skip = skip;
    stall.times = 0;
    stall.stall_after_bytes = 1000;
    hub->inject(stall);
  }
  static bool was_cancelled(const caller& c) {
    try {
      if (c.failure) std::rethrow_exception(c.failure);
    } catch (const boost::system::system_error& e) {
      return e.code() == asio::error::operation_aborted;
    }
    return false;
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "fifty who want one file at once make one download") {
  SUBCASE("into the cache") {}
  SUBCASE("into a local folder") { options.local_dir = folder.path() / "here"; }
  SUBCASE("though it is cached") {
    run(api->download_file("alice/model", "w.bin", options));
    hub->clear_requests();
    options.force_download = true;
  }
  ask(50);
  run_until_all_done();
  std::set<std::string> ranges;
  std::size_t asked = 0;
  for (const auto& request : hub->requests()) {
    if (request.method != "GET" || !request.content) continue;
    ranges.insert(request.range);
    ++asked;
  }
  CHECK(asked == ranges.size());  // no byte was asked for twice
  CHECK(asked == (large + chunk - 1) / chunk);
  for (const auto& one : callers) {
    CHECK_FALSE(one.failure);
    CHECK(one.path == callers.front().path);
  }
  CHECK(test::read_all(callers.front().path) == content);
}

TEST_CASE_FIXTURE(fixture, "when all waiters are cancelled the download stops, and goes on later") {
  stall_content(6);
  ask(10);
  run_until([this] { return content_requests() >= 7; });
  for (auto& one : callers) {
    CHECK_FALSE(one.done);
    stop(one, asio::cancellation_type::partial);
  }
  run_until_all_done();
  for (const auto& one : callers) CHECK(was_cancelled(one));

  hub->clear_faults();
  hub->clear_requests();
  CHECK(test::read_all(run(api->download_file("alice/model", "w.bin", options))) == content);
  CHECK(content_requests() < (large + chunk - 1) / chunk);
}

TEST_CASE_FIXTURE(fixture, "who is left gets the file when the one who began is cancelled") {
  hub_fault slow;
  slow.where = hub_fault::listener::content;
  slow.method = "GET";
  slow.times = 0;
  slow.delay = std::chrono::milliseconds(5);
  hub->inject(slow);
  ask(3);
  run_until([this] { return content_requests() >= 3; });
  stop(callers.front(), asio::cancellation_type::terminal);
  run_until_all_done();
  CHECK(was_cancelled(callers.front()));
  CHECK_FALSE(callers.back().failure);
  CHECK(test::read_all(callers.back().path) == content);
}

TEST_CASE_FIXTURE(fixture, "all waiters get the failure of the one download") {
  hub_fault broken;
  broken.where = hub_fault::listener::content;
  broken.method = "GET";
  broken.times = 0;
  broken.corrupt_byte = 17;
  hub->inject(broken);
  ask(12);
  run_until_all_done();
  for (const auto& one : callers) {
    REQUIRE(one.failure);
    try {
      std::rethrow_exception(one.failure);
    } catch (const error& e) {
      CHECK(e.code() == errc::content_mismatch);
    }
  }
  CHECK(content_requests() <= 2 * ((large + chunk - 1) / chunk));  // one download, tried again once
}

TEST_CASE_FIXTURE(fixture, "equal content under many names is fetched once") {
  std::vector<commit_operation> operations;
  for (const char* name : {"a.txt", "b.txt", "sub/c.txt"}) {
    commit_operation_add add;
    add.path_in_repo = name;
    add.content = commit_operation_add::bytes{"the same"};
    operations.emplace_back(std::move(add));
  }
  run(api->create_commit("alice/model", std::move(operations), "three"));
  hub->clear_requests();
  std::size_t done = 0;
  for (const char* name : {"a.txt", "b.txt", "sub/c.txt"})
    asio::co_spawn(context, api->download_file("alice/model", name),
                   [&done](std::exception_ptr e, fs::path path) {
                     CHECK_FALSE(e);
                     CHECK(test::read_all(path) == "the same");
                     ++done;
                   });
  run_until([&] { return done == 3; });
  CHECK(content_requests() == 1);
}

TEST_CASE_FIXTURE(test::client_fixture, "a snapshot and a single call share a small file") {
  put_file("alice/model", "a.txt", "content");
  hub->clear_requests();
  int done = 0;
  const auto count = [&](const std::exception_ptr& failure, const fs::path&) {
    CHECK_FALSE(failure);
    ++done;
  };
  asio::co_spawn(context, api->snapshot_download("alice/model"), count);
  asio::co_spawn(context, api->download_file("alice/model", "a.txt"), count);
  while (done < 2) context.run_one();
  CHECK(hub->count_requests("/a.txt", "GET") == 1);
}

TEST_CASE_FIXTURE(test::client_fixture, "a dry run and a look into the cache tell what is there") {
  const auto head = put_file("alice/model", "dir/w.bin", test::noise(300'000));
  hub->clear_requests();
  auto info = run(api->download_file_dry_run("alice/model", "dir/w.bin"));
  CHECK(info.commit_hash == head.oid);
  CHECK(info.file_size == 300'000);
  CHECK(info.filename == "dir/w.bin");
  CHECK(info.will_download);
  CHECK(hub->count_requests("", "GET") == 0);
  auto found = run(api->try_to_load_from_cache("alice/model", "dir/w.bin"));
  CHECK(found.what == cached_file::knowledge::nothing);

  const auto path = run(api->download_file("alice/model", "dir/w.bin"));
  CHECK(path == info.local_path);
  info = run(api->download_file_dry_run("alice/model", "dir/w.bin"));
  CHECK(info.is_cached);
  CHECK_FALSE(info.will_download);
  found = run(api->try_to_load_from_cache("alice/model", "dir/w.bin"));
  CHECK(found.path == path);
  failure_of(api->download_file("alice/model", "none"));
  found = run(api->try_to_load_from_cache("alice/model", "none"));
  CHECK(found.what == cached_file::knowledge::absent);
}
