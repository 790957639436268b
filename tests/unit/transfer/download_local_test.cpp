#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "cache/local_dir.hpp"
#include "download_fixture.hpp"

#include <chrono>

using namespace cohub;
using test::scripted_commit;
using test::scripted_reply;
using test::seen_request;
namespace fs = std::filesystem;

namespace {

struct fixture : test::download_fixture {
  cache::local_folder local{folder.path() / "local"};

  fixture() { options.local_dir = local.root(); }

  void put(const std::string& path, const std::string& text) {
    local.prepare(path);
    io::write_file_atomically(local.file(path), text);
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a local folder gets the file and what is known of it") {
  files["sub/f.txt"].content = "text";
  const auto path = download("sub/f.txt");
  CHECK(path == folder.path() / "local/sub/f.txt");
  CHECK(content(path) == "text");
  const auto metadata = local.read_metadata("sub/f.txt");
  REQUIRE(metadata.has_value());
  CHECK(metadata->commit == scripted_commit);
  CHECK(metadata->etag == etag_of("sub/f.txt"));
  CHECK_FALSE(fs::exists(repo_folder() / "blobs"));
  CHECK(download("sub/f.txt") == path);
  CHECK(requests("GET ") == 1);
}

TEST_CASE_FIXTURE(fixture, "a link that is laid while a file comes leads nowhere") {
  const auto outside = folder.path() / "outside";
  fs::create_directories(outside);
  std::string name;
  SUBCASE("a small file") { name = "sub/f.txt"; }
  SUBCASE("a large file") { name = "sub/big.bin"; }
  files["sub/f.txt"].content = "text";
  files["sub/big.bin"] = files["big.bin"];
  bool is_laid = false;
  const auto lay = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (is_laid || !request.line.starts_with("GET ")) return {};
    fs::remove_all(local.root() / "sub");
    fs::create_directory_symlink(outside, local.root() / "sub");
    is_laid = true;
    return {};
  };
  api_fault = content_fault = lay;
  CHECK(failure(name).code() == errc::invalid_path);
  CHECK(fs::is_empty(outside));
}

TEST_CASE_FIXTURE(fixture,
                  "a changed local file is replaced, and stays until the new one is there") {
  const auto path = download("big.bin");
  io::write_file_atomically(path, "edited");
  fs::last_write_time(path, fs::file_time_type::clock::now() + std::chrono::seconds(60));
  content_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(416, "");
  };
  failure("big.bin");
  CHECK(content(path) == "edited");
  content_fault = nullptr;
  CHECK(content(download("big.bin")) == files["big.bin"].content);
}

TEST_CASE_FIXTURE(fixture,
                  "a local file with the right sha256 is kept though nothing is known of it") {
  io::create_directories(options.local_dir);
  io::write_file_atomically(options.local_dir / "big.bin", files["big.bin"].content);
  download("big.bin");
  CHECK(requests("GET ") == 0);
}

TEST_CASE_FIXTURE(fixture, "what the cache has is copied to a local folder") {
  options.local_dir.clear();
  download("config.json");
  options.local_dir = local.root();
  const auto path = download("config.json");
  CHECK(fs::is_regular_file(fs::symlink_status(path)));
  CHECK(content(path) == files["config.json"].content);
  CHECK(requests("GET ") == 1);
}

TEST_CASE_FIXTURE(fixture, "a local file is returned when the Hub cannot tell") {
  const auto path = download("config.json");
  refuse_everything(500);
  const auto heard = std::make_shared<test::noting_observer>();
  options.observer = heard;
  CHECK(download("config.json") == path);
  CHECK(heard->count(transfer_event::kind::warning) == 1);
}

TEST_CASE_FIXTURE(fixture, "at a commit that is noted for a local file nothing is asked") {
  options.revision = scripted_commit;
  const auto path = download("config.json");
  const auto before = requests();
  CHECK(download("config.json") == path);
  CHECK(requests() == before);
  options.force_download = true;
  download("config.json");
  CHECK(requests("GET ") == 2);
}

TEST_CASE_FIXTURE(fixture, "a local file of another commit is kept where the etag is the same") {
  put("config.json", files["config.json"].content);
  local.write_metadata("config.json", std::string(40, 'b'), etag_of("config.json"));
  download("config.json");
  CHECK(requests("GET ") == 0);
  CHECK(local.read_metadata("config.json")->commit == scripted_commit);
}

TEST_CASE_FIXTURE(fixture, "what is noted of a local file holds while the file is no younger") {
  put("config.json", std::string(files["config.json"].content.size(), 'x'));
  local.write_metadata("config.json", scripted_commit, etag_of("config.json"));
  const auto noted = fs::file_time_type::clock::now();
  fs::last_write_time(local.file("config.json"), noted + std::chrono::milliseconds(500));
  download("config.json");  // within the second that coarse clocks are allowed
  CHECK(requests("GET ") == 0);
  fs::last_write_time(local.file("config.json"), noted + std::chrono::milliseconds(3000));
  download("config.json");
  CHECK(requests("GET ") == 1);
  CHECK(content(local.file("config.json")) == files["config.json"].content);
}

TEST_CASE_FIXTURE(fixture, "what is noted of a local file does not hold for one of another size") {
  put("config.json", "not what the Hub has");
  local.write_metadata("config.json", scripted_commit, etag_of("config.json"));
  download("config.json");
  CHECK(requests("GET ") == 1);
  CHECK(content(local.file("config.json")) == files["config.json"].content);
}

TEST_CASE_FIXTURE(fixture,
                  "a small file of which nothing is noted is fetched: its etag is no sha256") {
  put("config.json", files["config.json"].content);
  download("config.json");
  CHECK(requests("GET ") == 1);
}

TEST_CASE_FIXTURE(fixture, "noted but outdated is fetched, though the content would match") {
  put("big.bin", files["big.bin"].content);
  local.write_metadata("big.bin", std::string(40, 'b'), std::string(64, 'c'));
  download("big.bin");
  CHECK(requests("GET ") > 0);
}

TEST_CASE_FIXTURE(fixture, "a local file that cannot be checked is not given out when forced") {
  download("config.json");
  refuse_everything(500);
  options.force_download = true;
  CHECK(failure("config.json").code() == errc::server_failure);
}

TEST_CASE_FIXTURE(fixture, "an absent file is an error, whatever is in the folder") {
  put("gone.txt", "old");
  CHECK(failure("gone.txt").code() == errc::entry_not_found);
}

TEST_CASE_FIXTURE(fixture, "a parent that is a link is refused before a byte is fetched") {
  fs::create_directories(local.root());
  fs::create_directory_symlink(folder.path(), local.root() / "sub");
  files["sub/f.txt"].content = "text";
  CHECK(failure("sub/f.txt").code() == errc::invalid_path);
  CHECK(requests("GET ") == 0);
  CHECK_FALSE(fs::exists(folder.path() / "f.txt"));
}

TEST_CASE_FIXTURE(fixture, "a dry run tells what a local folder lacks, and writes nothing") {
  auto info = plan("config.json");
  CHECK(info.local_path == local.file("config.json"));
  CHECK(info.commit_hash == scripted_commit);
  CHECK(info.file_size == files["config.json"].content.size());
  CHECK_FALSE(info.is_cached);
  CHECK(info.will_download);
  CHECK_FALSE(fs::exists(local.root()));

  download("config.json");
  info = plan("config.json");
  CHECK(info.is_cached);
  CHECK_FALSE(info.will_download);
  options.force_download = true;
  CHECK(plan("config.json").will_download);
  options.force_download = false;

  put("config.json", "edited");
  fs::last_write_time(local.file("config.json"),
                      fs::file_time_type::clock::now() + std::chrono::seconds(60));
  info = plan("config.json");
  CHECK_FALSE(info.is_cached);
  CHECK(info.will_download);

  refuse_everything(500);
  info = plan("config.json");
  CHECK(info.is_cached);
  CHECK(info.file_size == 6);
  CHECK(info.commit_hash.empty());
}

TEST_CASE_FIXTURE(fixture, "a dry run at a noted commit asks nobody") {
  options.revision = scripted_commit;
  download("config.json");
  const auto before = requests();
  options.force_download = true;
  const auto info = plan("config.json");
  CHECK(info.is_cached);
  CHECK(info.will_download);
  CHECK(info.commit_hash == scripted_commit);
  CHECK(requests() == before);
}

TEST_CASE_FIXTURE(fixture, "what is copied in pieces is whole") {
  files["big.bin"].content = test::patterned((9u << 20) + 5);
  options.local_dir.clear();
  download("big.bin");
  const auto before = requests("GET ");
  options.local_dir = local.root();
  CHECK(content(download("big.bin")) == files["big.bin"].content);
  CHECK(requests("GET ") == before);
  CHECK(local.read_metadata("big.bin")->etag == etag_of("big.bin"));
}

TEST_CASE_FIXTURE(fixture, "what is noted of a local file is written under its lock") {
  put("config.json", files["config.json"].content);
  local.write_metadata("config.json", std::string(40, 'b'), etag_of("config.json"));
  auto lock = cache::try_lock_file(local.lock_file("config.json"));
  REQUIRE(lock.has_value());
  shared->lock_patience = std::chrono::milliseconds(1);
  bool done = false;
  asio::co_spawn(context, transfer::download_file(shared, "o/m", "config.json", options),
                 [&](std::exception_ptr e, const fs::path&) {
                   CHECK_FALSE(e);
                   done = true;
                 });
  context.restart();
  while (!done && observer->count(transfer_event::kind::lock_wait) == 0) context.run_one();
  CHECK(local.read_metadata("config.json")->commit == std::string(40, 'b'));
  lock.reset();
  while (!done) context.run_one();
  CHECK(local.read_metadata("config.json")->commit == scripted_commit);
  CHECK(requests("GET ") == 0);
  // Where nothing is to be written, nobody is waited for.
  lock = cache::try_lock_file(local.lock_file("config.json"));
  download("config.json");
}

TEST_CASE_FIXTURE(fixture, "what a killed process left in a local folder is cleared away") {
  options.local_dir.clear();
  download("config.json");
  options.local_dir = local.root();
  local.prepare("config.json");
  const auto left_copy = local.metadata_file("config.json").parent_path() / ".tmp-0123abcd";
  const auto left_note = local.bookkeeping() / ".tmp-4567cdef";
  for (const auto& path : {left_copy, left_note}) {
    io::write_file_atomically(path, "half");
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(2));
  }
  download("config.json");
  CHECK(requests("GET ") == 1);
  CHECK_FALSE(fs::exists(left_copy));
  CHECK_FALSE(fs::exists(left_note));
}
