#include "transfer/download/download_file.hpp"

#include "download_fixture.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

using namespace cohub;
using fixture = test::download_fixture;
using test::scripted_commit;
using test::scripted_reply;
using test::seen_request;
namespace fs = std::filesystem;

TEST_CASE_FIXTURE(fixture, "a file gets its blob, its link and its ref") {
  const auto path = download("config.json");
  CHECK(path == repo_folder() / "snapshots" / scripted_commit / "config.json");
  CHECK(content(path) == files["config.json"].content);
  CHECK(fs::read_symlink(path) == "../../blobs/" + etag_of("config.json"));
  CHECK(content(repo_folder() / "refs/main") == scripted_commit);
  CHECK(fs::exists(shared->cache_dir / ".locks/models--o--m" / (etag_of("config.json") + ".lock")));
  CHECK(requests() == 2);
  CHECK(observer->count(transfer_event::kind::finished) == 1);
}

TEST_CASE_FIXTURE(fixture, "the content is asked for at the commit, not at the branch") {
  download("config.json");
  CHECK(requests("HEAD /o/m/resolve/main/config.json") == 1);
  CHECK(requests("GET /o/m/resolve/" + scripted_commit + "/config.json") == 1);
}

TEST_CASE_FIXTURE(fixture, "a large file comes from the address that the HEAD gave") {
  CHECK(content(download("big.bin")) == files["big.bin"].content);
  CHECK(api.seen().size() == 1);
  CHECK(requests("GET /big.bin?signature=1 ") == 3);
}

TEST_CASE_FIXTURE(fixture, "what the Hub told on the way is enough where the bytes refuse HEAD") {
  api_fault = [this](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.starts_with("HEAD /store/")) return scripted_reply::text(403, "");
    if (request.line.starts_with("GET /store/"))
      return scripted_reply::text(200, files["config.json"].content);
    const auto size = std::to_string(files["config.json"].content.size());
    auto sent_on = scripted_reply::text(
        302, "",
        "X-Repo-Commit: " + scripted_commit + "\r\nX-Linked-Etag: \"" + etag_of("config.json") +
            "\"\r\nX-Linked-Size: " + size + "\r\nLocation: " + api.origin() + "/store/1\r\n");
    return sent_on;
  };
  CHECK(content(download("config.json")) == files["config.json"].content);
  CHECK(requests("HEAD /store/") == 1);
}

TEST_CASE_FIXTURE(fixture, "a ref that cannot be written does not cost the file") {
  fs::create_directories(repo_folder() / "refs/main");
  CHECK(content(download("config.json")) == files["config.json"].content);
}

TEST_CASE_FIXTURE(fixture, "folders may be named by the home directory") {
  const auto before = core::environment_value("HOME");
  ::setenv("HOME", folder.path().c_str(), 1);
  options.cache_dir = "~/my cache";
  const auto cached_here = download("config.json");
  options.local_dir = "~/here";
  const auto here = download("config.json");
  if (before)
    ::setenv("HOME", before->c_str(), 1);
  else
    ::unsetenv("HOME");
  CHECK(cached_here ==
        folder.path() / "my cache/models--o--m/snapshots" / scripted_commit / "config.json");
  CHECK(here == folder.path() / "here/config.json");
}

TEST_CASE_FIXTURE(fixture, "a cached file costs one question, or none at a commit") {
  const auto path = download("config.json");
  CHECK(download("config.json") == path);
  CHECK(requests("HEAD ") == 2);
  CHECK(requests("GET ") == 1);
  options.revision = scripted_commit;
  CHECK(download("config.json") == path);
  CHECK(requests() == 3);
  CHECK(observer->count(transfer_event::kind::cache_hit) == 2);
}

TEST_CASE_FIXTURE(fixture, "a blob that another path brought is linked, not fetched") {
  files["copy.json"] = files["config.json"];
  download("config.json");
  const auto path = download("copy.json");
  CHECK(content(path) == files["config.json"].content);
  CHECK(requests("GET ") == 1);
}

TEST_CASE_FIXTURE(fixture, "force_download fetches again") {
  download("config.json");
  options.force_download = true;
  CHECK(content(download("config.json")) == files["config.json"].content);
  CHECK(requests("GET ") == 2);
}

TEST_CASE_FIXTURE(fixture, "a subfolder is put in front of the path") {
  files["sub/deep/x.txt"].content = "x";
  options.subfolder = "sub/deep";
  const auto path = download("x.txt");
  CHECK(path == repo_folder() / "snapshots" / scripted_commit / "sub/deep/x.txt");
  CHECK(content(path) == "x");
}

TEST_CASE_FIXTURE(fixture, "an empty file is made without asking for its content") {
  files["empty"].content = "";
  CHECK(content(download("empty")).empty());
  CHECK(requests("GET ") == 0);
}

TEST_CASE_FIXTURE(fixture, "an absent file is an error, remembered for its commit") {
  CHECK(failure("nothing.txt").code() == errc::entry_not_found);
  CHECK(cached.try_to_load("main", "nothing.txt").what == cache::cached_file::knowledge::absent);
}

TEST_CASE_FIXTURE(fixture, "when the Hub fails, a cached file is returned") {
  const auto path = download("config.json");
  for (const auto& [status, headers] :
       std::vector<std::pair<int, std::string>>{{401, "X-Error-Code: RepoNotFound\r\n"},
                                                {403, "X-Error-Code: GatedRepo\r\n"},
                                                {404, "X-Error-Code: RepoNotFound\r\n"},
                                                {429, ""},
                                                {500, ""},
                                                {200, ""}}) {
    CAPTURE(status);
    refuse_everything(status, headers);
    CHECK(download("config.json") == path);
  }
  refuse_everything(404, "X-Error-Code: RevisionNotFound\r\n");
  CHECK(failure("config.json").code() == errc::revision_not_found);
  refuse_everything(404, "X-Error-Code: EntryNotFound\r\n");
  CHECK(failure("config.json").code() == errc::entry_not_found);
}

TEST_CASE_FIXTURE(fixture, "when the Hub fails and nothing is cached, the error says why") {
  refuse_everything(404, "X-Error-Code: RepoNotFound\r\n");
  CHECK(failure("config.json").code() == errc::repository_not_found);
  refuse_everything(403, "X-Error-Code: GatedRepo\r\n");
  CHECK(failure("config.json").code() == errc::gated_repository);
  refuse_everything(200);
  CHECK(failure("config.json").code() == errc::not_a_hub);
  CHECK(requests() == 3);
}

TEST_CASE_FIXTURE(fixture, "a failure that may pass is met by asking again") {
  int answers = 0;
  api_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    if (++answers > 3) return {};
    return scripted_reply::text(503, "");
  };
  CHECK(content(download("config.json")) == files["config.json"].content);
}

TEST_CASE_FIXTURE(fixture, "without a network the cache is all there is") {
  const auto path = download("config.json");
  const auto before = requests();
  SUBCASE("local_files_only") { options.local_files_only = true; }
  SUBCASE("offline mode") { shared->offline = true; }
  CHECK(download("config.json") == path);
  const auto failed = failure("big.bin");
  CHECK(failed.code() == errc::local_entry_not_found);
  CHECK(std::string(failed.what()).find("big.bin") != std::string::npos);
  CHECK(requests() == before);
}

TEST_CASE_FIXTURE(fixture, "a Hub that cannot be reached is told of") {
  shared->endpoint = "http://127.0.0.1:1";
  const auto failed = failure("config.json");
  CHECK(failed.code() == errc::local_entry_not_found);
  CHECK(std::string(failed.what()).find("127.0.0.1:1") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "a Hub that does not answer is not waited for for ever") {
  download("config.json");
  shared->timeouts.metadata = std::chrono::milliseconds(50);
  api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    scripted_reply silence;
    silence.after = scripted_reply::then::stall;
    return silence;
  };
  CHECK(content(download("config.json")) == files["config.json"].content);
}

TEST_CASE_FIXTURE(fixture, "an etag that is no file name is refused") {
  for (const std::string etag : {"../../evil", "..", "a/b"}) {
    CAPTURE(etag);
    refuse_everything(200, "X-Repo-Commit: " + scripted_commit + "\r\nETag: \"" + etag + "\"\r\n");
    const auto code = failure("config.json").code();
    CHECK((code == errc::invalid_response || code == errc::not_a_hub));
  }
}

TEST_CASE_FIXTURE(fixture, "names that could leave the cache make no request") {
  for (const char* path : {"../x", "/x", "a/../../x", ""})
    CHECK(failure(path).code() == errc::invalid_path);
  try {
    run(transfer::download_file(shared, "../o", "f", options));
    FAIL("nothing was thrown");
  } catch (const error& e) {
    CHECK(e.code() == errc::invalid_repository_id);
  }
  CHECK(requests() == 0);
}

TEST_CASE_FIXTURE(fixture, "a cache that cannot be written to is an error that names it") {
  io::write_file_atomically(folder.path() / "file", "");
  options.cache_dir = folder.path() / "file";
  const auto failed = failure("config.json");
  CHECK(failed.code() == boost::system::errc::not_a_directory);
  CHECK(std::string(failed.what()).find("file") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "two downloads of one file at once fetch it once") {
  std::vector<fs::path> paths;
  for (int i = 0; i < 2; ++i)
    asio::co_spawn(context, transfer::download_file(shared, "o/m", "big.bin", options),
                   [&](std::exception_ptr e, fs::path path) {
                     CHECK_FALSE(e);
                     paths.push_back(std::move(path));
                   });
  context.restart();
  while (paths.size() < 2) context.run_one_for(std::chrono::seconds(10));
  CHECK(paths[0] == paths[1]);
  CHECK(requests("GET ") == 3);
}

TEST_CASE_FIXTURE(fixture, "a time limit for the whole file is kept") {
  options.timeout = std::chrono::milliseconds(50);
  content_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    scripted_reply silence;
    silence.after = scripted_reply::then::stall;
    return silence;
  };
  CHECK(failure("big.bin").code() == errc::timed_out);
}

TEST_CASE_FIXTURE(fixture, "without links the snapshot holds the file itself") {
  shared->disable_symlinks = true;
  const auto path = download("config.json");
  CHECK(fs::is_regular_file(fs::symlink_status(path)));
  CHECK(content(path) == files["config.json"].content);
  CHECK(download("config.json") == path);
  CHECK(requests("GET ") == 1);
}
