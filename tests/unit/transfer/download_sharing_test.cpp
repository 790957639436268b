#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "download_fixture.hpp"

#include <chrono>

/// One file, asked for by several: locks, other processes, other callers (hub-protocol, 4.4
/// and 4.5).

using namespace cohub;
using test::scripted_commit;
using test::scripted_reply;
using test::seen_request;
using fixture = test::download_fixture;
namespace fs = std::filesystem;

TEST_CASE_FIXTURE(fixture, "a blob that came while the lock was waited for is not fetched") {
  cached.prepare();
  auto lock = cache::try_lock_file(cached.layout().lock(etag_of("config.json")));
  REQUIRE(lock.has_value());
  bool done = false;
  fs::path path;
  asio::co_spawn(context, transfer::download_file(shared, "o/m", "config.json", options),
                 [&](std::exception_ptr e, fs::path result) {
                   CHECK_FALSE(e);
                   path = std::move(result);
                   done = true;
                 });
  context.restart();
  while (requests("HEAD ") == 0) context.run_one();
  context.run_for(std::chrono::milliseconds(30));
  CHECK_FALSE(done);
  CHECK(requests("GET ") == 0);
  io::write_file_atomically(cached.layout().blob(etag_of("config.json")),
                            files["config.json"].content);
  lock.reset();
  while (!done) context.run_one();
  CHECK(requests("GET ") == 0);
  CHECK(content(path) == files["config.json"].content);
}

TEST_CASE_FIXTURE(fixture, "who waits for another process for long is told so") {
  cached.prepare();
  auto lock = cache::try_lock_file(cached.layout().lock(etag_of("config.json")));
  shared->lock_patience = std::chrono::milliseconds(1);
  bool done = false;
  asio::co_spawn(context, transfer::download_file(shared, "o/m", "config.json", options),
                 [&](std::exception_ptr e, fs::path) {
                   CHECK_FALSE(e);
                   done = true;
                 });
  context.restart();
  while (observer->count(transfer_event::kind::lock_wait) == 0) context.run_one();
  lock.reset();
  while (!done) context.run_one();
}

TEST_CASE_FIXTURE(fixture, "what a killed process left of small files is cleared away") {
  cached.prepare();
  const auto left_blob = repo_folder() / "blobs" / ".tmp-0123abcd";
  const auto left_link = repo_folder() / ".tmp-4567cdef";
  const auto fresh = repo_folder() / "blobs" / ".tmp-89ab0123";
  for (const auto& path : {left_blob, left_link, fresh}) io::write_file_atomically(path, "half");
  for (const auto& path : {left_blob, left_link})
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(2));
  download("config.json");
  CHECK_FALSE(fs::exists(left_blob));
  CHECK_FALSE(fs::exists(left_link));
  CHECK(fs::exists(fresh));
}

TEST_CASE_FIXTURE(fixture, "a blob is linked under its lock: who has it may delete the blob") {
  cached.prepare();
  const auto blob = cached.layout().blob(etag_of("config.json"));
  io::write_file_atomically(blob, files["config.json"].content);
  auto lock = cache::try_lock_file(cached.layout().lock(etag_of("config.json")));
  REQUIRE(lock.has_value());
  shared->lock_patience = std::chrono::milliseconds(1);
  bool done = false;
  fs::path path;
  asio::co_spawn(context, transfer::download_file(shared, "o/m", "config.json", options),
                 [&](std::exception_ptr e, fs::path result) {
                   CHECK_FALSE(e);
                   path = std::move(result);
                   done = true;
                 });
  context.restart();
  while (!done && observer->count(transfer_event::kind::lock_wait) == 0) context.run_one();
  REQUIRE_FALSE(done);
  CHECK_FALSE(
      fs::exists(fs::symlink_status(cached.layout().pointer(scripted_commit, "config.json"))));
  fs::remove(blob);
  lock.reset();
  while (!done) context.run_one();
  CHECK(content(path) == files["config.json"].content);
  CHECK(requests("GET ") == 1);
}

TEST_CASE_FIXTURE(fixture, "what is cached is given out without its lock") {
  const auto path = download("config.json");
  const auto lock = cache::try_lock_file(cached.layout().lock(etag_of("config.json")));
  REQUIRE(lock.has_value());
  CHECK(download("config.json") == path);
}

TEST_CASE_FIXTURE(fixture, "few files are open at once, however many are asked for") {
  constexpr std::size_t limit = 3;
  shared->open_files = std::make_shared<io::fair_semaphore>(limit);
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) {
    names.push_back("f" + std::to_string(i));
    files[names.back()].content = names.back();
  }
  std::size_t most = 0;
  api_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    std::size_t locks = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd"))
      locks += fs::read_symlink(entry.path(), ignored).extension() == ".lock";
    most = std::max(most, locks);
    return {};
  };
  std::size_t done = 0;
  for (const auto& name : names)
    asio::co_spawn(context, transfer::download_file(shared, "o/m", name, options),
                   [&](std::exception_ptr e, const fs::path&) {
                     CHECK_FALSE(e);
                     ++done;
                   });
  context.restart();
  while (done < names.size()) context.run_one();
  CHECK(most > 0);
  CHECK(most <= limit);
  CHECK(shared->open_files->free_units() == limit);
}

TEST_CASE_FIXTURE(fixture, "who asks as somebody else does not share another's failure") {
  api_fault = [](const seen_request& request) -> std::optional<scripted_reply> {
    if (!request.line.starts_with("GET ") || request.header("x-who") != "stranger") return {};
    return scripted_reply::text(403, "", "X-Error-Code: GatedRepo\r\n");
  };
  std::size_t ended = 0;
  for (const std::string who : {"stranger", "friend"}) {
    options.headers = {{"X-Who", who}};
    asio::co_spawn(context, transfer::download_file(shared, "o/m", "config.json", options),
                   [&, who](std::exception_ptr e, const fs::path&) {
                     // The stranger may come late, and find what the friend has fetched.
                     if (who == "friend") CHECK_FALSE(e);
                     ++ended;
                   });
  }
  context.restart();
  while (ended < 2) context.run_one();
}
