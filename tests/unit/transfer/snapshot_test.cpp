#include "cache/file_lock.hpp"
#include "cache/tree_reader.hpp"
#include "cache/tree_writer.hpp"
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

TEST_CASE_FIXTURE(fixture, "a snapshot has all files, each at the price of its content") {
  const auto path = download();
  CHECK(path == repo_folder() / "snapshots" / scripted_commit);
  CHECK(names_below(path) == all_names());
  for (const auto& [name, file] : files)
    CHECK(io::read_file(path / name, 1u << 30) == file.content);
  CHECK(io::read_file(repo_folder() / "refs/main", 100) == scripted_commit);
  CHECK(requests("HEAD ") == 0);
  CHECK(requests("GET /o/m/resolve/" + scripted_commit) ==
        files.size() - 1);  // the empty one: none
  auto listing = cache::tree_reader::open(repo_folder() / "trees" / (scripted_commit + ".json"));
  REQUIRE(listing.has_value());
  CHECK(listing->next().value().size() == files.size());
}

TEST_CASE_FIXTURE(fixture, "small files that are equal are fetched once") {
  for (const char* name : {"a.json", "d/b.json", "d/c.json"}) files[name].content = "{\"same\": 1}";
  const auto path = download();
  CHECK(names_below(path) == all_names());
  for (const char* name : {"a.json", "d/b.json", "d/c.json"})
    CHECK(io::read_file(path / name, 100) == files[name].content);
  CHECK(requests("GET /o/m/resolve/" + scripted_commit) == files.size() - 1 - 2);
}

TEST_CASE_FIXTURE(fixture, "snapshots that are made at the same time fetch each file once") {
  for (int i = 0; i < 40; ++i) files["f" + std::to_string(i)].content = "file " + std::to_string(i);
  std::size_t done = 0;
  for (int i = 0; i < 3; ++i)
    asio::co_spawn(context, transfer::snapshot_download(shared, "o/m", options),
                   [&](std::exception_ptr failure, const fs::path& path) {
                     CHECK_FALSE(failure);
                     CHECK(names_below(path) == all_names());
                     ++done;
                   });
  while (done < 3) context.run_one();
  CHECK(requests("GET /o/m/resolve/" + scripted_commit) == files.size() - 1);
}

TEST_CASE_FIXTURE(fixture, "a forced snapshot never falls back to the cache, another one tells") {
  download();
  api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(500, "");
  };
  CHECK(names_below(download()) == all_names());
  CHECK(observer->count(transfer_event::kind::warning) == 1);
  options.force_download = true;
  CHECK(failure() != boost::system::error_code());
}

TEST_CASE_FIXTURE(fixture, "a second run makes one request, and none at a commit") {
  const auto path = download();
  const auto before = requests();
  CHECK(download() == path);
  CHECK(requests() == before + 1);
  options.revision = scripted_commit;
  CHECK(download() == path);
  CHECK(requests() == before + 1);
}

TEST_CASE_FIXTURE(fixture, "what is missing is fetched, and nothing else") {
  const auto path = download();
  fs::remove(path / "data/a.csv");
  fs::remove(repo_folder() / "blobs" / etag_of("data/a.csv"));
  const auto before = requests("GET /o/m/resolve/");
  download();
  CHECK(names_below(path) == all_names());
  CHECK(requests("GET /o/m/resolve/") == before + 1);
}

TEST_CASE_FIXTURE(fixture, "patterns decide what comes") {
  options.allow_patterns = std::vector<std::string>{"data/*", "*.md"};
  options.ignore_patterns = {"*.json"};
  const auto path = download();
  CHECK(names_below(path) == std::set<std::string>{"README.md", "data/a.csv"});
  options.allow_patterns = std::vector<std::string>{};
  options.ignore_patterns = {};
  CHECK(download() == path);
  CHECK(requests("GET /o/m/resolve/") == 2);
}

TEST_CASE_FIXTURE(fixture, "a local folder gets the files and no links") {
  options.local_dir = folder.path() / "local";
  CHECK(download() == options.local_dir);
  CHECK(names_below(options.local_dir) == all_names());
  CHECK(fs::is_regular_file(fs::symlink_status(options.local_dir / "model.bin")));
  const auto before = requests();
  CHECK(download() == options.local_dir);
  CHECK(requests() == before + 1);
  CHECK_FALSE(fs::exists(repo_folder() / "refs"));
}

TEST_CASE_FIXTURE(fixture,
                  "without a network a complete snapshot is returned and a part is an error") {
  const auto path = download();
  SUBCASE("offline mode") { shared->offline = true; }
  SUBCASE("local_files_only") { options.local_files_only = true; }
  SUBCASE("the Hub fails") {
    api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
      return scripted_reply::text(403, "", "X-Error-Code: GatedRepo\r\n");
    };
  }
  CHECK(download() == path);
  fs::remove(path / "README.md");
  CHECK(failure() == errc::incomplete_snapshot);
  options.ignore_patterns = {"*.md"};
  CHECK(download() == path);
}

TEST_CASE_FIXTURE(fixture, "a Hub in trouble is asked once more only where there is no snapshot") {
  const auto path = download();
  const auto before = requests();
  std::size_t troubles = 1000;
  api_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    if (troubles == 0) return {};
    --troubles;
    return scripted_reply::text(500, "");
  };
  CHECK(download() == path);
  CHECK(requests() == before + 1);
  fs::remove_all(shared->cache_dir);
  troubles = 2;
  CHECK(download() == path);
  CHECK(troubles == 0);
}

TEST_CASE_FIXTURE(fixture, "without a network and without a snapshot the reason is told") {
  shared->offline = true;
  CHECK(failure() == errc::local_entry_not_found);
  shared->offline = false;
  api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(404, "", "X-Error-Code: RepoNotFound\r\n");
  };
  CHECK(failure() == errc::repository_not_found);
}

TEST_CASE_FIXTURE(fixture, "a revision that does not exist is an error though another is cached") {
  download();
  api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(404, "", "X-Error-Code: RevisionNotFound\r\n");
  };
  CHECK(failure() == errc::revision_not_found);
}

TEST_CASE_FIXTURE(fixture, "the first failure stops the rest, and names no ref") {
  content_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(416, "");
  };
  CHECK(failure() != boost::system::error_code());
  CHECK_FALSE(fs::exists(repo_folder() / "refs/main"));
  content_fault = nullptr;
  CHECK(names_below(download()) == all_names());
}

TEST_CASE_FIXTURE(fixture, "a listing that names a path outside is refused as a whole") {
  files["../evil"].content = "x";
  CHECK(failure() == errc::invalid_path);
  CHECK(requests("GET /o/m/resolve/") == 0);
  CHECK_FALSE(fs::exists(repo_folder() / "trees"));
}

TEST_CASE_FIXTURE(fixture, "many files share the connections") {
  for (int i = 0; i < 200; ++i)
    files["many/" + std::to_string(i) + ".txt"].content = std::to_string(i);
  options.max_workers = 4;
  const auto path = download();
  CHECK(names_below(path) == all_names());
  CHECK(api.connections() <= 4);
}

TEST_CASE_FIXTURE(fixture, "no or very many files at once are refused") {
  for (const std::size_t workers : {std::size_t{0}, std::size_t{1025}, ~std::size_t{0}}) {
    options.max_workers = workers;
    CHECK(failure() == errc::invalid_argument);
  }
}

TEST_CASE_FIXTURE(fixture, "files arrive while the listing is still to be told to its end") {
  api_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.find("/tree/") == std::string::npos) return {};
    scripted_reply never;
    never.after = scripted_reply::then::stall;
    if (request.line.find("cursor=") != std::string::npos) return never;
    const auto next = api.origin() + "/api/models/o/m/tree/" + scripted_commit + "?cursor=2";
    return scripted_reply::text(200, listing(), "Link: <" + next + ">; rel=\"next\"\r\n");
  };
  asio::cancellation_signal stop;
  std::exception_ptr failed;
  bool ended = false;
  asio::co_spawn(
      context, transfer::snapshot_download(shared, "o/m", options),
      asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e, const fs::path&) {
        failed = e;
        ended = true;
      }));
  const auto finished = [&] { return observer->count(transfer_event::kind::finished); };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!ended && finished() < files.size() && std::chrono::steady_clock::now() < deadline)
    context.run_one_for(std::chrono::seconds(1));
  CHECK_FALSE(ended);
  CHECK(finished() == files.size());
  stop.emit(asio::cancellation_type::terminal);
  while (!ended) context.run_one_for(std::chrono::seconds(1));
  CHECK(failed);
  CHECK_FALSE(fs::exists(repo_folder() / "refs/main"));
  CHECK_FALSE(fs::exists(repo_folder() / "trees"));
}

TEST_CASE_FIXTURE(fixture,
                  "a small file that arrives corrupted is asked for again and not kept wrong") {
  int corrupted = 0;
  api_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.find("/data/a.csv") == std::string::npos || ++corrupted > 1) return {};
    return scripted_reply::text(200, "b", "X-Repo-Commit: " + scripted_commit + "\r\n");
  };
  const auto path = download();
  CHECK(corrupted == 2);
  CHECK(io::read_file(path / "data/a.csv", 100) == "a");
}

TEST_CASE_FIXTURE(fixture, "the log hears of every file") {
  const auto log = std::make_shared<test::noting_observer>();
  shared->event_log = log;
  int drops = 0;
  api_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.find("/data/a.csv") == std::string::npos || ++drops > 1) return {};
    scripted_reply broken;
    broken.after = scripted_reply::then::reset;
    return broken;
  };
  download();
  using kind = transfer_event::kind;
  for (const auto what : {kind::finished, kind::verified, kind::retry})
    CHECK(log->count(what) == observer->count(what));
  CHECK(log->count(kind::finished) == files.size());
  CHECK(log->count(kind::verified) == files.size());
  CHECK(log->count(kind::retry) == 1);
  download();
  CHECK(log->count(kind::cache_hit) == 1);
}

TEST_CASE_FIXTURE(fixture, "a dry run for a local folder knows files by their content") {
  options.local_dir = folder.path() / "local";
  fs::create_directories(options.local_dir);
  io::write_file_atomically(options.local_dir / "model.bin", files["model.bin"].content);
  const auto infos = run(transfer::snapshot_download_dry_run(shared, "o/m", options));
  REQUIRE(infos.size() == files.size());
  for (const auto& info : infos) {
    CAPTURE(info.filename);
    CHECK(info.is_cached == (info.filename == "model.bin"));
    CHECK(info.will_download == !info.is_cached);
    CHECK(info.local_path == options.local_dir / info.filename);
    CHECK(info.commit_hash == scripted_commit);
  }
  CHECK(names_below(options.local_dir) == std::set<std::string>{"model.bin"});
  CHECK_FALSE(fs::exists(options.local_dir / ".cache"));
}

TEST_CASE_FIXTURE(fixture, "what another revision brought is linked, not fetched") {
  download();
  const auto before = requests("GET /o/m/resolve/");
  fs::remove_all(repo_folder() / "snapshots");
  const auto path = download();
  CHECK(names_below(path) == all_names());
  CHECK(requests("GET /o/m/resolve/") == before);
}

namespace {

struct listening : test::noting_observer {
  void on_event(const transfer_event& event) override {
    test::noting_observer::on_event(event);
    if (event.what == transfer_event::kind::warning) warning = event.detail;
  }
  std::string warning;
};

struct folder_fixture : fixture {
  std::shared_ptr<listening> heard = std::make_shared<listening>();

  folder_fixture() {
    options.local_dir = folder.path() / "local";
    options.observer = heard;
    download();
  }
};

}  // namespace

TEST_CASE_FIXTURE(folder_fixture, "without a network a complete local folder is returned") {
  SUBCASE("offline mode") { shared->offline = true; }
  SUBCASE("local_files_only") { options.local_files_only = true; }
  SUBCASE("the Hub fails") {
    api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
      return scripted_reply::text(503, "");
    };
  }
  SUBCASE("at a commit") {
    options.revision = scripted_commit;
    options.local_files_only = true;
  }
  CHECK(download() == options.local_dir);
  CHECK(heard->warning.find("with all files of " + scripted_commit) != std::string::npos);
  fs::remove(options.local_dir / "README.md");
  CHECK(failure() == errc::incomplete_snapshot);
  options.ignore_patterns = {"*.md"};
  CHECK(download() == options.local_dir);
}

TEST_CASE_FIXTURE(folder_fixture, "a local folder's commit is what was noted of its files last") {
  const auto trees = options.local_dir / ".cache/huggingface/trees";
  tree_entry other;
  other.path = "elsewhere.txt";
  other.oid = std::string(40, '1');
  cache::tree_writer writer(trees.parent_path());
  writer.add({other});
  writer.write(trees / (std::string(40, 'b') + ".json"));
  options.local_files_only = true;
  CHECK(download() == options.local_dir);
  CHECK(heard->warning.find(scripted_commit) != std::string::npos);

  fs::remove_all(options.local_dir / ".cache/huggingface/download");  // which of the two?
  CHECK(download() == options.local_dir);
  CHECK(heard->warning.find("nothing tells") != std::string::npos);
  fs::remove(trees / (scripted_commit + ".json"));  // only one is left
  CHECK(failure() == errc::incomplete_snapshot);
}

TEST_CASE_FIXTURE(folder_fixture, "a local folder that nothing is known of is returned as it is") {
  fs::remove_all(options.local_dir);
  options.local_files_only = true;
  CHECK(failure() == errc::local_entry_not_found);
  fs::create_directories(options.local_dir / ".cache/huggingface");
  CHECK(failure() == errc::local_entry_not_found);
  io::write_file_atomically(options.local_dir / "model.bin", "x");
  CHECK(download() == options.local_dir);
  CHECK(heard->warning.find("nothing tells") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "a snapshot that cannot be had names the cause and its status") {
  api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(429, "", "Retry-After: 0\r\n");
  };
  try {
    download();
    FAIL("nothing was thrown");
  } catch (const error& e) {
    CHECK(e.code() == errc::local_entry_not_found);
    CHECK(e.http().status == 429);
    CHECK(e.http().retry_after == std::chrono::seconds(0));
  }
}

TEST_CASE_FIXTURE(fixture, "all requests of a snapshot go to its endpoint, with its headers") {
  options.endpoint = api.origin() + "/";
  options.headers = {{"X-Team", "blue"}};
  options.user_agent = "job/7";
  shared->endpoint = "http://127.0.0.1:1";
  shared->user_agent = "cohub/0";
  CHECK(names_below(download()) == all_names());
  CHECK(api.seen().size() > files.size());
  for (const auto& request : api.seen()) {
    CHECK(request.header("x-team") == "blue");
    CHECK(request.header("user-agent") == "cohub/0; job/7");
    CHECK(request.header("authorization").empty());  // that of the client's own Hub
  }
  for (const auto& request : contents.seen()) CHECK(request.header("authorization").empty());
  options.headers = {{"Range", "bytes=0-1"}};
  CHECK(failure() == errc::invalid_argument);
}

TEST_CASE_FIXTURE(fixture, "a snapshot ends with its time, its first question with its own") {
  const auto path = download();
  const auto stall = [](const seen_request&) -> std::optional<scripted_reply> {
    scripted_reply silence;
    silence.after = scripted_reply::then::stall;
    return silence;
  };
  SUBCASE("the question: the cache is the answer") {
    api_fault = stall;
    options.etag_timeout = std::chrono::milliseconds(20);
    CHECK(download() == path);
  }
  SUBCASE("the whole") {
    fs::remove_all(shared->cache_dir);
    content_fault = stall;
    options.timeout = std::chrono::milliseconds(200);
    CHECK(failure() == errc::timed_out);
  }
}

TEST_CASE_FIXTURE(fixture, "a listing that hides Xet hashes is used and not kept") {
  api_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.find("/tree/") == std::string::npos) return {};
    auto text = listing();
    const std::string size = "\"pointerSize\":134}";
    const auto at = text.find(size) + size.size();
    text.insert(at, ",\"xetHash\":\"" + std::string(64, '*') + '"');
    return scripted_reply::text(200, text);
  };
  CHECK(names_below(download()) == all_names());
  CHECK_FALSE(fs::exists(repo_folder() / "trees"));
}
