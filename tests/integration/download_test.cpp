#include "support/client_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <mutex>
#include <vector>

using namespace cohub;
using test::client_fixture;
namespace fs = std::filesystem;

namespace {

/// Remembers what it was told.
class recorder final : public observer {
 public:
  void on_progress(const transfer_progress& progress) override {
    const std::scoped_lock lock(mutex_);
    last_ = progress;
  }
  void on_event(const transfer_event& event) override {
    const std::scoped_lock lock(mutex_);
    events_.push_back(event);
  }
  bool saw(transfer_event::kind what) const {
    const std::scoped_lock lock(mutex_);
    return std::any_of(events_.begin(), events_.end(),
                       [what](const auto& event) { return event.what == what; });
  }
  transfer_progress last() const {
    const std::scoped_lock lock(mutex_);
    return last_;
  }

 private:
  mutable std::mutex mutex_;
  transfer_progress last_;
  std::vector<transfer_event> events_;
};

/// Names below a folder, sorted; links are not followed.
std::vector<std::string> names_below(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    names.push_back(entry.path().lexically_relative(folder).generic_string());
  std::sort(names.begin(), names.end());
  return names;
}

constexpr std::size_t large = 5'000'003;
constexpr std::uint64_t chunk = 256 * 1024;

}  // namespace

TEST_CASE_FIXTURE(client_fixture, "the cache looks as the Python client lays it out") {
  const auto info = put_file("alice/model", "dir/a.txt", "content");
  const auto path = run(api->download_file("alice/model", "dir/a.txt"));
  const auto repo = folder.path() / "cache" / "models--alice--model";
  CHECK(path == repo / "snapshots" / info.oid / "dir" / "a.txt");
  CHECK(fs::read_symlink(path) == "../../../blobs/6b584e8ece562ebffc15d38808cd6b98fc3d97ea");
  CHECK(test::read_all(repo / "refs" / "main") == info.oid);
  CHECK(test::read_all(path) == "content");
  CHECK(fs::exists(folder.path() / "cache" / "CACHEDIR.TAG"));
  CHECK(names_below(repo / "blobs") ==
        std::vector<std::string>{"6b584e8ece562ebffc15d38808cd6b98fc3d97ea"});
  CHECK(names_below(folder.path() / "cache" / ".locks" / "models--alice--model") ==
        std::vector<std::string>{"6b584e8ece562ebffc15d38808cd6b98fc3d97ea.lock"});
}

TEST_CASE_FIXTURE(client_fixture, "a large file comes in parallel ranges and is verified") {
  const auto content = test::noise(large);
  put_file("alice/model", "w.safetensors", content);
  hub->clear_requests();
  const auto watch = std::make_shared<recorder>();
  const download_options options{.connections = 4, .chunk_size = chunk, .observer = watch};
  const auto path = run(api->download_file("alice/model", "w.safetensors", options));
  CHECK(test::read_all(path) == content);
  CHECK(watch->saw(transfer_event::kind::verified));
  CHECK(watch->last().bytes_done == large);
  CHECK(watch->last().bytes_total == large);
  std::size_t ranges = 0;
  for (const auto& request : hub->requests())
    if (request.content && request.method == "GET" && !request.range.empty()) ++ranges;
  CHECK(ranges == (large + chunk - 1) / chunk);
  CHECK(hub->peak_content_connections() <= 4);
  CHECK(hub->peak_content_connections() >= 2);
}

TEST_CASE_FIXTURE(client_fixture, "what is cached is not fetched again") {
  const auto info = put_file("alice/model", "a.txt", "content");
  const auto path = run(api->download_file("alice/model", "a.txt"));
  hub->clear_requests();
  CHECK(run(api->download_file("alice/model", "a.txt")) == path);
  CHECK(hub->requests().size() == 1);  // the question what main is
  const download_options pinned{.revision = info.oid};
  hub->clear_requests();
  CHECK(run(api->download_file("alice/model", "a.txt", pinned)) == path);
  CHECK(hub->requests().empty());
  const download_options forced{.force_download = true};
  CHECK(run(api->download_file("alice/model", "a.txt", forced)) == path);
  CHECK(hub->count_requests("", "GET") == 1);
}

TEST_CASE_FIXTURE(client_fixture, "equal content of another revision costs no transfer") {
  put_file("alice/model", "a.bin", test::noise(100'000));
  run(api->download_file("alice/model", "a.bin"));
  put_file("alice/model", "b.txt", "other");
  hub->clear_requests();
  const auto path = run(api->download_file("alice/model", "a.bin"));
  CHECK(hub->count_requests("", "GET") == 0);
  CHECK(test::read_all(path) == test::noise(100'000));
}

TEST_CASE_FIXTURE(client_fixture, "what is missing is told apart") {
  put_file("alice/model", "a.txt", "content");
  CHECK(failure_of(api->download_file("alice/none", "a.txt")).code() == errc::repository_not_found);
  CHECK(failure_of(api->download_file("alice/model", "none.txt")).code() == errc::entry_not_found);
  const download_options elsewhere{.revision = "no-such-branch"};
  CHECK(failure_of(api->download_file("alice/model", "a.txt", elsewhere)).code() ==
        errc::revision_not_found);
  CHECK(failure_of(api->download_file("alice/model", "../a.txt")).code() == errc::invalid_path);
  const download_options local{.local_files_only = true};
  CHECK(failure_of(api->download_file("alice/model", "a.txt", local)).code() ==
        errc::local_entry_not_found);
}

TEST_CASE_FIXTURE(client_fixture, "a cached file is the answer when the Hub is gone") {
  put_file("alice/model", "a.txt", "content");
  const auto path = run(api->download_file("alice/model", "a.txt"));
  run(hub->stop());
  CHECK(run(api->download_file("alice/model", "a.txt")) == path);
  CHECK(failure_of(api->download_file("alice/model", "b.txt")).code() ==
        errc::local_entry_not_found);
}

TEST_CASE_FIXTURE(client_fixture, "connections that break in every range do not break the file") {
  const auto content = test::noise(large);
  put_file("alice/model", "w.bin", content);
  hub_fault drop;
  drop.where = hub_fault::listener::content;
  drop.method = "GET";
  drop.times = 12;
  drop.drop_after_bytes = 100'000;
  hub->inject(drop);
  const auto watch = std::make_shared<recorder>();
  const download_options options{.connections = 3, .chunk_size = chunk, .observer = watch};
  CHECK(test::read_all(run(api->download_file("alice/model", "w.bin", options))) == content);
  CHECK(watch->saw(transfer_event::kind::retry));
}

TEST_CASE_FIXTURE(client_fixture, "a corrupted byte never becomes a cached file") {
  const auto content = test::noise(large);
  put_file("alice/model", "w.bin", content);
  hub_fault corrupt;
  corrupt.where = hub_fault::listener::content;
  corrupt.method = "GET";
  corrupt.corrupt_byte = 1234;
  const download_options options{.connections = 3, .chunk_size = chunk};

  SUBCASE("once: it is fetched again") {
    hub->inject(corrupt);
    CHECK(test::read_all(run(api->download_file("alice/model", "w.bin", options))) == content);
  }
  SUBCASE("always: it is an error, and nothing is left") {
    corrupt.times = 0;
    hub->inject(corrupt);
    const auto failure = failure_of(api->download_file("alice/model", "w.bin", options));
    CHECK(failure.code() == errc::content_mismatch);
    const auto repo = folder.path() / "cache" / "models--alice--model";
    CHECK(names_below(repo / "blobs").empty());
    CHECK_FALSE(fs::exists(repo / "refs" / "main"));
  }
}

TEST_CASE_FIXTURE(client_fixture, "a small file is verified as well") {
  put_file("alice/model", "a.txt", "content");
  hub_fault corrupt;
  corrupt.path_part = "/resolve/";
  corrupt.method = "GET";
  corrupt.corrupt_byte = 3;
  corrupt.times = 0;
  hub->inject(corrupt);
  CHECK(failure_of(api->download_file("alice/model", "a.txt")).code() == errc::content_mismatch);
}

TEST_CASE_FIXTURE(client_fixture, "a body that stays too short is an error, the partial stays") {
  put_file("alice/model", "w.bin", test::noise(large));
  hub_fault drop;
  drop.where = hub_fault::listener::content;
  drop.method = "GET";
  drop.times = 0;
  drop.drop_after_bytes = 0;
  hub->inject(drop);
  const download_options options{.connections = 2, .chunk_size = chunk};
  CHECK(failure_of(api->download_file("alice/model", "w.bin", options)).code() ==
        errc::truncated_body);
  const auto repo = folder.path() / "cache" / "models--alice--model";
  CHECK_FALSE(fs::exists(repo / "refs" / "main"));
  for (const auto& name : names_below(repo / "snapshots"))
    CHECK(fs::is_directory(repo / "snapshots" / name));
}

TEST_CASE_FIXTURE(client_fixture, "a cancelled download stops, and the next call goes on") {
  const auto content = test::noise(large);
  put_file("alice/model", "w.bin", content);
  hub_fault stall;
  stall.where = hub_fault::listener::content;
  stall.method = "GET";
  stall.skip = 10;
  stall.times = 0;
  stall.stall_after_bytes = 1000;
  hub->inject(stall);
  download_options options{.connections = 2, .chunk_size = chunk};

  asio::cancellation_signal cancel;
  boost::system::error_code outcome;
  bool done = false;
  asio::co_spawn(context, api->download_file("alice/model", "w.bin", options),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e, fs::path) {
                   done = true;
                   try {
                     if (e) std::rethrow_exception(e);
                   } catch (const boost::system::system_error& failure) {
                     outcome = failure.code();
                   }
                 }));
  const auto stalled = [&] {
    std::size_t gets = 0;
    for (const auto& request : hub->requests())
      gets += request.content && request.method == "GET" ? 1 : 0;
    return gets >= 12;
  };
  while (!stalled()) context.run_one();
  cancel.emit(asio::cancellation_type::partial);
  while (!done) context.run_one();
  CHECK(outcome == asio::error::operation_aborted);

  hub->clear_faults();
  hub->clear_requests();
  const auto watch = std::make_shared<recorder>();
  options.observer = watch;
  CHECK(test::read_all(run(api->download_file("alice/model", "w.bin", options))) == content);
  CHECK(watch->saw(transfer_event::kind::resumed));
  std::size_t gets = 0;
  for (const auto& request : hub->requests())
    gets += request.content && request.method == "GET" ? 1 : 0;
  CHECK(gets <= 11);  // of 20 ranges
  const auto blobs = names_below(folder.path() / "cache" / "models--alice--model" / "blobs");
  CHECK(blobs.size() == 1);  // the partial and its journal are gone
}

TEST_CASE_FIXTURE(client_fixture, "an expired address is asked for anew") {
  const auto content = test::noise(large);
  put_file("alice/model", "w.bin", content);
  hub_fault expired;
  expired.where = hub_fault::listener::content;
  expired.method = "GET";
  expired.skip = 5;
  expired.status = 403;
  hub->inject(expired);
  const download_options options{.connections = 2, .chunk_size = chunk};
  CHECK(test::read_all(run(api->download_file("alice/model", "w.bin", options))) == content);
}

TEST_CASE_FIXTURE(client_fixture, "a cache that cannot be written is an error that names it") {
  put_file("alice/model", "a.txt", "content");
  test::write_all(folder.path() / "file", "in the way");
  download_options options;
  options.cache_dir = folder.path() / "file";
  const auto failure = failure_of(api->download_file("alice/model", "a.txt", options));
  CHECK(failure.code().category() == boost::system::system_category());
  CHECK(std::string(failure.what()).find((folder.path() / "file").string()) != std::string::npos);
}

TEST_CASE_FIXTURE(client_fixture, "a time limit ends a download that does not") {
  put_file("alice/model", "a.txt", "content");
  hub_fault stall;
  stall.path_part = "/resolve/";
  stall.method = "GET";
  stall.stall = true;
  stall.times = 0;
  hub->inject(stall);
  const download_options options{.timeout = std::chrono::milliseconds(50)};
  CHECK(failure_of(api->download_file("alice/model", "a.txt", options)).code() == errc::timed_out);
}

TEST_CASE_FIXTURE(client_fixture, "a snapshot is one commit's files, filtered") {
  put_file("alice/model", "config.json", "{}");
  put_file("alice/model", "w.safetensors", test::noise(300'000));
  const auto head = put_file("alice/model", "logs/run.log", "log");
  snapshot_download_options options;
  options.ignore_patterns.emplace_back("*.log");
  hub->clear_requests();
  const auto snapshot = run(api->snapshot_download("alice/model", options));
  CHECK(snapshot.filename() == head.oid);
  CHECK(names_below(snapshot) ==
        std::vector<std::string>{".gitattributes", "config.json", "w.safetensors"});
  CHECK(test::read_all(snapshot / "w.safetensors") == test::noise(300'000));
  CHECK(hub->count_requests("", "HEAD") == 0);  // the listing told all

  hub->clear_requests();
  CHECK(run(api->snapshot_download("alice/model", options)) == snapshot);
  CHECK(hub->requests().size() == 1);
}

TEST_CASE_FIXTURE(client_fixture, "a local folder gets the files themselves") {
  put_file("alice/model", "dir/a.txt", "content");
  download_options options;
  options.local_dir = folder.path() / "here";
  const auto path = run(api->download_file("alice/model", "dir/a.txt", options));
  CHECK(path == folder.path() / "here" / "dir" / "a.txt");
  CHECK(fs::is_regular_file(fs::symlink_status(path)));
  CHECK(test::read_all(path) == "content");
  hub->clear_requests();
  run(api->download_file("alice/model", "dir/a.txt", options));
  CHECK(hub->count_requests("", "GET") == 0);
  test::write_all(path, "edited");
  // A file that is younger than what was noted of it is not believed.
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(5));
  run(api->download_file("alice/model", "dir/a.txt", options));
  CHECK(test::read_all(path) == "content");
}

TEST_CASE_FIXTURE(client_fixture, "names in a listing that lead out of the folder are refused") {
  put_file("alice/model", "a.txt", "content");
  hub_fault hostile;
  hostile.path_part = "/tree/";
  hostile.status = 200;
  hostile.times = 0;
  for (const char* name : {"../escape", "/etc/escape", "a/../../escape", "C:escape"}) {
    CAPTURE(name);
    hub->clear_faults();
    hostile.body = std::string(R"([{"type":"file","path":")") + name +
                   R"(","oid":"6b584e8ece562ebffc15d38808cd6b98fc3d97ea","size":7}])";
    hub->inject(hostile);
    CHECK(failure_of(api->snapshot_download("alice/model")).code() == errc::invalid_path);
    CHECK_FALSE(fs::exists(folder.path() / "escape"));
  }
}

TEST_CASE_FIXTURE(client_fixture, "two downloads of one file at once both succeed") {
  const auto content = test::noise(large);
  put_file("alice/model", "w.bin", content);
  std::size_t done = 0;
  for (int i = 0; i < 8; ++i) {
    asio::co_spawn(context, api->download_file("alice/model", "w.bin"),
                   [&](std::exception_ptr e, fs::path path) {
                     CHECK_FALSE(e);
                     if (!e) CHECK(test::read_all(path) == content);
                     ++done;
                   });
  }
  while (done < 8) context.run_one();
}
