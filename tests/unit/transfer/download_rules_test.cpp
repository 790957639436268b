#include "cohub/error.hpp"

#include "download_fixture.hpp"

#include <sys/stat.h>

#include <chrono>

/// The steps of hub-protocol, sections 3.3, 4.4 and 4.5, one by one.

using namespace cohub;
using test::scripted_commit;
using test::scripted_reply;
using test::seen_request;
using fixture = test::download_fixture;
namespace fs = std::filesystem;

namespace {

std::string commit_header() { return "X-Repo-Commit: " + scripted_commit + "\r\n"; }

}  // namespace

TEST_CASE_FIXTURE(fixture, "the first question is asked once, the second with the whole policy") {
  const auto path = download("config.json");
  refuse_everything(503);
  CHECK(download("config.json") == path);
  CHECK(requests("HEAD ") == 2);  // no second try where the cache has an answer
  fs::remove(path);
  CHECK(failure("config.json").code() == errc::local_entry_not_found);
  CHECK(requests("HEAD ") == 2 + 1 + shared->retries.attempts);
}

TEST_CASE_FIXTURE(fixture, "the second question may take a minute") {
  shared->timeouts.metadata = std::chrono::milliseconds(40);
  int asked = 0;
  api_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    if (++asked > 1) return {};
    scripted_reply silence;
    silence.after = scripted_reply::then::stall;
    return silence;
  };
  CHECK(content(download("config.json")) == files["config.json"].content);
  CHECK(asked >= 2);
}

TEST_CASE_FIXTURE(fixture, "a broken or malformed answer is like none: the cache is the answer") {
  const auto path = download("config.json");
  scripted_reply broken;
  SUBCASE("reset") { broken.after = scripted_reply::then::reset; }
  SUBCASE("closed") { broken.after = scripted_reply::then::close; }
  SUBCASE("cut") {
    broken.bytes = "HTTP/1.1 200 OK\r\nX-Repo-C";
    broken.after = scripted_reply::then::close;
  }
  SUBCASE("not http") {
    broken.bytes = "220 smtp ready\r\n\r\n";
    broken.after = scripted_reply::then::close;
  }
  SUBCASE("a redirect to nowhere") {
    broken = scripted_reply::text(307, "", "Location: http://[/\r\n");
  }
  SUBCASE("redirects without end") {
    broken = scripted_reply::text(307, "", "Location: /o/m/resolve/main/config.json\r\n");
  }
  api_fault = [=](const seen_request&) -> std::optional<scripted_reply> { return broken; };
  CHECK(download("config.json") == path);
}

TEST_CASE_FIXTURE(fixture, "a link to nothing is no cached file") {
  const auto path = download("config.json");
  fs::remove(fs::canonical(path));
  REQUIRE(fs::is_symlink(fs::symlink_status(path)));
  options.local_files_only = true;
  CHECK(failure("config.json").code() == errc::local_entry_not_found);
  options.local_files_only = false;
  SUBCASE("by its branch") {}
  SUBCASE("at its commit") { options.revision = scripted_commit; }
  CHECK(content(download("config.json")) == files["config.json"].content);
  CHECK(requests("GET ") == 2);
}

TEST_CASE_FIXTURE(fixture, "absence is remembered only for a commit that the Hub names") {
  answer("HEAD /o/m/resolve/main/none", 404, "X-Error-Code: EntryNotFound\r\n");
  CHECK(failure("none").code() == errc::entry_not_found);
  CHECK_FALSE(fs::exists(repo_folder() / ".no_exist"));
  CHECK_FALSE(fs::exists(repo_folder() / "refs/main"));
  api_fault = nullptr;
  CHECK(failure("none").code() == errc::entry_not_found);
  CHECK(fs::file_size(repo_folder() / ".no_exist" / scripted_commit / "none") == 0);
  CHECK(content(repo_folder() / "refs/main") == scripted_commit);
  CHECK(fs::is_directory(repo_folder() / "snapshots" / scripted_commit));  // what the ref names
}

TEST_CASE_FIXTURE(fixture, "numbers of connections and bytes that make no sense are refused") {
  options.chunk_size = 1000;
  CHECK(failure("config.json").code() == errc::invalid_argument);
  options.chunk_size = 0;
  options.connections = 0;
  CHECK(failure("config.json").code() == errc::invalid_argument);
}

TEST_CASE_FIXTURE(fixture, "force_download and local_files_only contradict each other") {
  download("config.json");
  options.force_download = true;
  options.local_files_only = true;
  const auto failed = failure("config.json");
  CHECK(failed.code() == errc::invalid_argument);
  CHECK(std::string(failed.what()).find("force_download") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "a forced download never falls back to the cache") {
  download("config.json");
  options.force_download = true;
  refuse_everything(500);
  CHECK(failure("config.json").code() == errc::server_failure);
  CHECK(requests("HEAD ") == 2);  // nor is it asked for again
  shared->offline = true;
  CHECK(failure("config.json").code() == errc::offline);
}

TEST_CASE_FIXTURE(fixture, "refs are written last: a failed download leaves none") {
  content_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(410, "");
  };
  failure("big.bin");
  CHECK_FALSE(fs::exists(repo_folder() / "refs/main"));
  content_fault = nullptr;
  download("big.bin");
  CHECK(content(repo_folder() / "refs/main") == scripted_commit);
}

TEST_CASE_FIXTURE(fixture, "a ref is written only when it changes, and not for a commit") {
  download("config.json");
  const auto ref = repo_folder() / "refs/main";
  fs::last_write_time(ref, fs::file_time_type{});
  download("config.json");
  CHECK(fs::last_write_time(ref) == fs::file_time_type{});
  io::write_file_atomically(ref, std::string(40, 'b'));
  download("config.json");
  CHECK(content(ref) == scripted_commit);
  options.revision = scripted_commit;
  download("config.json");
  CHECK(std::distance(fs::directory_iterator(repo_folder() / "refs"), {}) == 1);
}

TEST_CASE_FIXTURE(fixture, "a cache that cannot be written to gives out what it has") {
  const auto path = download("config.json");
  // Root may write anywhere, so the folder of refs is made one that nobody can write into.
  fs::remove_all(repo_folder() / "refs");
  io::write_file_atomically(repo_folder() / "refs", "");
  CHECK(download("config.json") == path);
  CHECK(requests("GET ") == 1);
}

TEST_CASE_FIXTURE(fixture, "a tag of the cache that cannot be written is of no consequence") {
  fs::create_directories(shared->cache_dir / "CACHEDIR.TAG");
  CHECK(content(download("config.json")) == files["config.json"].content);
}

TEST_CASE_FIXTURE(fixture, "blobs can be read by whoever the umask lets") {
  const auto before = ::umask(0027);
  const auto small = download("config.json");
  const auto big = download("big.bin");
  ::umask(before);
  for (const auto& path : {small, big}) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0640);
  }
}

TEST_CASE_FIXTURE(fixture, "an etag of no known kind names the blob and checks nothing") {
  const std::string etag = "d41d8cd98f00b204e9800998ecf8427e-12";
  answer("HEAD /o/m/resolve/main/config.json", 200,
         commit_header() + "ETag: W/\"" + etag + "\"\r\nX-Linked-Size: " +
             std::to_string(files["config.json"].content.size()) + "\r\n");
  answer("GET /o/m/resolve/", 200, "");
  api_fault = [this, before = api_fault](const seen_request& request) {
    if (request.line.starts_with("GET "))
      return std::optional(send(request, files["config.json"].content, ""));
    return before(request);
  };
  const auto path = download("config.json");
  CHECK(fs::canonical(path).filename() == etag);
  CHECK(observer->count(transfer_event::kind::verified) == 0);
}

TEST_CASE_FIXTURE(fixture, "compressed metadata tell no size, unless the Hub names it") {
  const std::string coded =
      "Content-Encoding: gzip\r\nETag: W/\"" + etag_of("config.json") + "\"\r\n";
  answer("HEAD /o/m/resolve/main/config.json", 200, commit_header() + coded);
  CHECK(failure("config.json").code() == errc::invalid_response);
  CHECK(requests("HEAD ") == 1);
  CHECK(requests("GET ") == 0);
  answer("HEAD /o/m/resolve/main/config.json", 200,
         commit_header() + coded +
             "X-Linked-Size: " + std::to_string(files["config.json"].content.size()) + "\r\n");
  CHECK(content(download("config.json")) == files["config.json"].content);
}

TEST_CASE_FIXTURE(fixture, "a snapshot without links copies what another path has") {
  shared->disable_symlinks = true;
  files["copy.json"] = files["config.json"];
  const auto first = download("config.json");
  CHECK_FALSE(fs::exists(repo_folder() / "blobs" / etag_of("config.json")));
  const auto second = download("copy.json");  // no blob is left: it is fetched again, as in Python
  CHECK(content(second) == content(first));
  CHECK(requests("GET ") == 2);
}

TEST_CASE_FIXTURE(fixture, "relative redirects are followed with the token and what they told") {
  const auto size = std::to_string(files["config.json"].content.size());
  SUBCASE("to the Hub's own cache") {
    answer("HEAD /o/m/resolve/main/config.json", 307,
           commit_header() + "Location: /api/resolve-cache/x?etag=1\r\n");
    answer("HEAD /api/resolve-cache/x?etag=1 ", 200,
           "ETag: \"" + etag_of("config.json") + "\"\r\nX-Linked-Size: " + size + "\r\n");
  }
  SUBCASE("to the new name of the repository") {
    answer("HEAD /o/m/resolve/main/config.json", 307,
           "Location: /new/name/resolve/main/config.json\r\n");
    answer("HEAD /new/name/resolve/main/config.json", 200,
           commit_header() + "ETag: \"" + etag_of("config.json") + "\"\r\nX-Linked-Size: " + size +
               "\r\n");
  }
  SUBCASE("by an absolute address of the same host") {
    answer("HEAD /o/m/resolve/main/config.json", 302,
           commit_header() + "X-Linked-Etag: \"" + etag_of("config.json") +
               "\"\r\nX-Linked-Size: " + size + "\r\nLocation: " + api.origin() +
               "/files/config.json\r\n");
    answer("HEAD /files/config.json", 200, "ETag: \"another\"\r\n");
  }
  CHECK(content(download("config.json")) == files["config.json"].content);
  CHECK(requests("HEAD ") == 2);
  CHECK(api.seen()[1].header("authorization") == "Bearer hf_secret");
  // The content is asked for where the commit is named, whatever the question was redirected to.
  CHECK(requests("GET /o/m/resolve/" + scripted_commit + "/config.json") == 1);
}

TEST_CASE_FIXTURE(fixture, "a redirect to another host is the answer, and the token stays") {
  download("big.bin");
  CHECK(requests("HEAD ") == 1);
  for (const auto& request : contents.seen()) CHECK(request.header("authorization").empty());
  for (const auto& request : api.seen())
    CHECK(request.header("authorization") == "Bearer hf_secret");
}

TEST_CASE_FIXTURE(fixture, "the length of a redirect is not that of the file") {
  answer("HEAD /o/m/resolve/main/config.json", 302,
         commit_header() + "X-Linked-Etag: \"" + etag_of("config.json") +
             "\"\r\nLocation: " + contents.origin() + "/config.json\r\n");
  CHECK(failure("config.json").code() == errc::not_a_hub);
}

TEST_CASE_FIXTURE(fixture, "the limit of the question is the call's own, unless one is imposed") {
  download("config.json");
  api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    scripted_reply silence;
    silence.after = scripted_reply::then::stall;
    return silence;
  };
  const auto begin = std::chrono::steady_clock::now();
  SUBCASE("the call's") { options.etag_timeout = std::chrono::milliseconds(30); }
  SUBCASE("imposed") {
    options.etag_timeout = std::chrono::milliseconds(60'000);
    shared->imposed_etag_timeout = std::chrono::milliseconds(30);
  }
  download("config.json");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

TEST_CASE_FIXTURE(fixture, "a Hub that asks to wait was reached, however long the wait") {
  options.etag_timeout = std::chrono::milliseconds(30);
  refuse_everything(429, "Retry-After: 120\r\n");
  http::request question;
  question.verb = http::method::head;
  question.url = core::parse_url(api.origin() + "/o/m/resolve/main/config.json").value();
  for (int i = 0; i < 2; ++i) {  // the second is not even sent
    const auto head = run(transfer::fetch_file_head(shared, question, "asking",
                                                    std::chrono::milliseconds(30), false));
    REQUIRE(head.failure);
    try {
      std::rethrow_exception(head.failure);
    } catch (const error& e) {
      CHECK(e.code() == errc::rate_limited);
      CHECK(e.http().retry_after > std::chrono::seconds(100));
    }
  }
  CHECK(requests() == 1);
}

TEST_CASE_FIXTURE(fixture, "headers and user agent of a call go to the Hub, not to other hosts") {
  shared->user_agent = "app/1; cohub/0";
  options.user_agent = "job/7; cohub/0";
  options.headers = {{"X-Team", "blue"}, {"authorization", "Bearer other"}};
  download("big.bin");
  download("config.json");
  for (const auto& request : api.seen()) {
    CHECK(request.header("user-agent") == "app/1; cohub/0; job/7");
    CHECK(request.header("x-team") == "blue");
    CHECK(request.header("authorization") == "Bearer other");
  }
  for (const auto& request : contents.seen()) {
    CHECK(request.header("x-team").empty());
    CHECK(request.header("authorization").empty());
  }
}

TEST_CASE_FIXTURE(fixture, "headers that would change what a request means are refused") {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"Range", "bytes=0-1"},
                                                        {"host", "elsewhere"},
                                                        {"X-A", "b\r\nX-C: d"},
                                                        {"X A", "b"},
                                                        {"", "b"},
                                                        {"Content-Length", "1"}}) {
    CAPTURE(name);
    options.headers = {{name, value}};
    CHECK(failure("config.json").code() == errc::invalid_argument);
  }
  options.headers.clear();
  options.user_agent = "a\r\nX-B: c";
  CHECK(failure("config.json").code() == errc::invalid_argument);
  CHECK(requests() == 0);
}

TEST_CASE_FIXTURE(fixture, "another endpoint is asked without the client's token") {
  options.endpoint = api.origin() + "/";
  shared->endpoint = "http://127.0.0.1:1";
  download("config.json");
  for (const auto& request : api.seen()) CHECK(request.header("authorization").empty());
  options.token = "hf_own";
  options.force_download = true;
  download("config.json");
  CHECK(api.seen().back().header("authorization") == "Bearer hf_own");
}

TEST_CASE_FIXTURE(fixture, "a dry run tells what would be done, and does none of it") {
  auto info = plan("big.bin");
  CHECK(info.commit_hash == scripted_commit);
  CHECK(info.file_size == files["big.bin"].content.size());
  CHECK(info.filename == "big.bin");
  CHECK(info.local_path == repo_folder() / "snapshots" / scripted_commit / "big.bin");
  CHECK_FALSE(info.is_cached);
  CHECK(info.will_download);
  CHECK_FALSE(fs::exists(shared->cache_dir));
  CHECK(requests("GET ") == 0);

  download("config.json");
  files["copy.json"] = files["config.json"];
  info = plan("copy.json");  // the blob is there, under another path
  CHECK(info.is_cached);
  CHECK_FALSE(info.will_download);

  options.revision = scripted_commit;
  options.force_download = true;
  const auto before = requests();
  info = plan("config.json");
  CHECK(info.is_cached);
  CHECK(info.will_download);
  CHECK(info.file_size == files["config.json"].content.size());
  CHECK(requests() == before);
  options = {};

  refuse_everything(500);
  info = plan("config.json");
  CHECK(info.is_cached);
  CHECK(info.commit_hash == scripted_commit);
  refuse_everything(404, "X-Error-Code: EntryNotFound\r\n" + commit_header());
  CHECK_THROWS_AS(plan("other.json"), error);
  CHECK_FALSE(fs::exists(repo_folder() / ".no_exist"));
}

TEST_CASE_FIXTURE(fixture, "looking into the cache has three answers and makes no request") {
  const auto path = download("config.json");
  failure("none");
  const auto before = requests();
  const auto look = [this](const std::string& name) {
    return run(transfer::try_to_load_from_cache(shared, "o/m", name, {}));
  };
  CHECK(look("config.json").what == cached_file::knowledge::present);
  CHECK(look("config.json").path == path);
  CHECK(look("none").what == cached_file::knowledge::absent);
  CHECK(look("none").path.empty());
  CHECK(look("big.bin").what == cached_file::knowledge::nothing);
  CHECK_THROWS_AS(look("../x"), error);
  CHECK(requests() == before);
}

TEST_CASE_FIXTURE(fixture, "a server that has less than promised says so in the error") {
  content_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(416, "", "Content-Range: bytes */10\r\n");
  };
  const auto failed = failure("big.bin");
  CHECK(failed.http().status == 416);
  CHECK(failed.http().server_message.find("bytes */10") != std::string::npos);
  CHECK(requests("GET ") <= 8);  // asking again would not help
}

TEST_CASE_FIXTURE(fixture,
                  "with nothing cached, what the Hub says of the repository is the error") {
  SUBCASE("no such repository") {
    refuse_everything(404, "X-Error-Code: RepoNotFound\r\n");
    CHECK(failure("config.json").code() == errc::repository_not_found);
  }
  SUBCASE("gated") {
    refuse_everything(403, "X-Error-Code: GatedRepo\r\n");
    CHECK(failure("config.json").code() == errc::gated_repository);
  }
  SUBCASE("unauthorized") {
    refuse_everything(401);
    CHECK(failure("config.json").code() == errc::unauthorized);
  }
}

TEST_CASE_FIXTURE(fixture, "with nothing cached, any other failure of the Hub is in the error") {
  int status = 0;
  std::string headers;
  std::string cause;
  SUBCASE("it failed") {
    status = 503;
    cause = "the server failed";
  }
  SUBCASE("too many requests") {
    status = 429;
    headers = "Retry-After: 0\r\n";
    cause = "too many requests";
  }
  SUBCASE("forbidden") {
    status = 403;
    headers = "X-Error-Message: no entry\r\n";
    cause = "no entry";
  }
  refuse_everything(status, headers);
  const auto failed = failure("config.json");
  CHECK(failed.code() == errc::local_entry_not_found);
  CHECK(std::string(failed.what()).find(cause) != std::string::npos);
  CHECK(failed.http().status == status);
  CHECK(failed.http().retry_after.has_value() == (status == 429));
}

TEST_CASE_FIXTURE(fixture, "a failing proxy is told of, whatever the cache has") {
  download("config.json");
  http::transport_config settings;
  settings.proxies.http = "http://127.0.0.1:1";
  shared->transport = std::make_unique<http::transport>(context.get_executor(), settings);
  CHECK(failure("config.json").code() == errc::proxy_failure);
}

TEST_CASE_FIXTURE(fixture, "a revision that no Hub has is refused before any request") {
  for (const std::string revision : {"", "../x", "a/../../b", "a\nb", "/a"}) {
    CAPTURE(revision);
    options.revision = revision;
    CHECK(failure("config.json").code() == errc::invalid_path);
  }
  CHECK(requests() == 0);
}

TEST_CASE_FIXTURE(fixture, "without links a large blob is copied, not fetched") {
  files["big.bin"].content = test::patterned((9u << 20) + 5);
  download("big.bin");
  const auto blob = repo_folder() / "blobs" / etag_of("big.bin");
  shared->disable_symlinks = true;
  files["copy.bin"] = files["big.bin"];
  const auto before = requests("GET ");
  const auto path = download("copy.bin");
  CHECK(fs::is_regular_file(fs::symlink_status(path)));
  CHECK(content(path) == files["big.bin"].content);
  CHECK(fs::exists(blob));
  CHECK(requests("GET ") == before);
}

TEST_CASE_FIXTURE(fixture, "a Hub that was too slow to read the question is asked again") {
  int answers = 0;
  api_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    if (++answers > 1) return {};
    return scripted_reply::text(408, "");
  };
  CHECK(content(download("config.json")) == files["config.json"].content);
}
