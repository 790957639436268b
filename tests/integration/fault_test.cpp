#include "support/client_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

using namespace cohub;
using test::client_fixture;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t size = 1'500'007;
constexpr std::uint64_t chunk = 256 * 1024;

std::vector<std::string> names_below(const fs::path& folder) {
  std::vector<std::string> names;
  if (!fs::exists(folder)) return names;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    names.push_back(entry.path().lexically_relative(folder).generic_string());
  std::sort(names.begin(), names.end());
  return names;
}

/// Bytes [first, second) that a request asked for; nothing if it asked for all.
std::optional<std::pair<std::uint64_t, std::uint64_t>> range_of(const hub_request& request) {
  unsigned long long first = 0, last = 0;
  if (std::sscanf(request.range.c_str(), "bytes=%llu-%llu", &first, &last) != 2) return {};
  return std::pair<std::uint64_t, std::uint64_t>(first, last + 1);
}

/// A Hub that misbehaves on purpose, with one file of several ranges and one that is small.
struct faulty_hub : client_fixture {
  faulty_hub() {
    put_file("alice/model", "w.bin", content);
    put_file("alice/model", "a.txt", "content");
    hub->clear_requests();
  }

  /// A fault of the answers that bear the large file's content; all of them, until told otherwise.
  static hub_fault of_content() {
    hub_fault fault;
    fault.where = hub_fault::listener::content;
    fault.method = "GET";
    fault.times = 0;
    return fault;
  }
  static hub_fault of_resolve(const std::string& method) {
    hub_fault fault;
    fault.path_part = "/resolve/";
    fault.method = method;
    fault.times = 0;
    return fault;
  }

  std::string fetch() {
    return test::read_all(run(api->download_file("alice/model", "w.bin", options)));
  }
  std::string fetch_small() {
    return test::read_all(run(api->download_file("alice/model", "a.txt")));
  }
  error failure() { return failure_of(api->download_file("alice/model", "w.bin", options)); }
  error small_failure() { return failure_of(api->download_file("alice/model", "a.txt")); }

  std::size_t content_requests() const {
    const auto requests = hub->requests();
    return static_cast<std::size_t>(
        std::count_if(requests.begin(), requests.end(),
                      [](const auto& each) { return each.content && each.method == "GET"; }));
  }
  fs::path repo_cache() const { return folder.path() / "cache" / "models--alice--model"; }

  /// That a failure left no file behind, and that the next attempt without faults succeeds.
  void check_recovery() {
    for (const auto& name : names_below(repo_cache() / "snapshots"))
      CHECK(fs::is_directory(repo_cache() / "snapshots" / name));
    hub->clear_faults();
    CHECK(fetch() == content);
    CHECK(fetch_small() == "content");
    CHECK(names_below(repo_cache() / "blobs").size() == 2);
  }

  const std::string content = test::noise(size);
  download_options options{.connections = 3, .chunk_size = chunk};
};

}  // namespace

TEST_CASE_FIXTURE(faulty_hub, "every answer breaks off after some bytes: the file comes whole") {
  auto fault = of_content();
  fault.drop_after_bytes = 100'000;
  hub->inject(fault);
  CHECK(fetch() == content);
  CHECK(content_requests() >= size / 100'000);
}

TEST_CASE_FIXTURE(faulty_hub, "every range breaks off at its first byte a few times") {
  auto fault = of_content();
  fault.drop_after_bytes = 0;
  fault.times = 6;
  hub->inject(fault);
  CHECK(fetch() == content);
}

TEST_CASE_FIXTURE(faulty_hub, "a Hub that is busy at first is asked again") {
  for (auto fault : {of_content(), of_resolve("HEAD"), of_resolve("GET")}) {
    fault.status = 503;
    fault.times = 4;
    hub->inject(fault);
  }
  CHECK(fetch() == content);
  CHECK(fetch_small() == "content");
}

TEST_CASE_FIXTURE(faulty_hub, "a Hub that stays busy is an error with its status") {
  auto fault = of_content();
  fault.status = 503;
  hub->inject(fault);
  const auto e = failure();
  CHECK(e.code() == errc::server_failure);
  CHECK(e.http().status == 503);
  check_recovery();
}

TEST_CASE_FIXTURE(faulty_hub, "a server with room for few requests at once gets no more") {
  hub_fault full;
  full.times = 0;
  full.method = "GET";
  SUBCASE("one, and says so") {
    full.beyond_at_once = 1;
    full.status = 503;
  }
  SUBCASE("two, and says so") {
    full.beyond_at_once = 2;
    full.status = 429;
  }
  SUBCASE("one, and closes the others' connections") {
    full.beyond_at_once = 1;
    full.lose_answer = true;
  }
  auto slow = full;
  slow.beyond_at_once = 0;
  slow.status = 0;
  slow.lose_answer = false;
  slow.delay = std::chrono::milliseconds(10);
  options.connections = 8;
  options.chunk_size = 64 * 1024;
  SUBCASE("ranges of a large file") {
    full.where = slow.where = hub_fault::listener::content;
    hub->inject(full);
    hub->inject(slow);
    CHECK(fetch() == content);
  }
  SUBCASE("the small files of a snapshot") {
    std::vector<commit_operation> operations;
    for (int i = 0; i < 60; ++i) {
      commit_operation_add add;
      add.path_in_repo = "small/" + std::to_string(i);
      add.content = commit_operation_add::bytes{std::to_string(i)};
      operations.emplace_back(std::move(add));
    }
    run(api->create_commit("alice/model", std::move(operations), "many"));
    full.path_part = slow.path_part = "/small/";
    hub->inject(full);
    hub->inject(slow);
    const snapshot_download_options all{.max_workers = 16};
    const auto snapshot = run(api->snapshot_download("alice/model", all));
    for (int i = 0; i < 60; ++i)
      CHECK(test::read_all(snapshot / "small" / std::to_string(i)) == std::to_string(i));
  }
}

TEST_CASE_FIXTURE(faulty_hub, "one node of a store that knows no ranges does not end them") {
  auto fault = of_content();
  fault.ignore_range = true;
  fault.skip = 2;
  fault.times = 1;
  hub->inject(fault);
  CHECK(fetch() == content);
  for (const auto& request : hub->requests()) {
    if (!request.content) continue;
    const auto range = range_of(request);
    REQUIRE(range);
    CHECK(range->second - range->first <= chunk);
  }
}

TEST_CASE_FIXTURE(faulty_hub, "a length that is not true is never believed") {
  auto fault = of_content();
  SUBCASE("too long") { fault.content_length = size + 1; }
  SUBCASE("too short") { fault.content_length = 1000; }
  SUBCASE("none at all") { fault.content_length = 0; }
  hub->inject(fault);
  auto of_small = of_resolve("GET");
  of_small.content_length = *fault.content_length == 0 ? 0 : *fault.content_length - 999;
  hub->inject(of_small);
  CHECK(failure().code() == errc::content_mismatch);
  CHECK(small_failure().code() == errc::content_mismatch);
  check_recovery();
}

TEST_CASE_FIXTURE(faulty_hub, "a size that the Hub promised wrongly is an error") {
  auto fault = of_resolve("HEAD");
  fault.headers = {{"X-Linked-Size", "1000000"}};
  SUBCASE("too small") {}
  SUBCASE("too large") { fault.headers[0].second = "9999999"; }
  hub->inject(fault);
  const auto code = failure().code();
  CHECK((code == errc::content_mismatch || code == errc::invalid_response));
  check_recovery();
}

TEST_CASE_FIXTURE(faulty_hub, "a range that is not the one asked for is not written") {
  auto fault = of_content();
  SUBCASE("another place") { fault.headers = {{"Content-Range", "bytes 5-99/1500007"}}; }
  SUBCASE("another size") { fault.headers = {{"Content-Range", "bytes 0-262143/1500008"}}; }
  SUBCASE("nonsense") { fault.headers = {{"Content-Range", "bytes elephant"}}; }
  hub->inject(fault);
  const auto code = failure().code();
  CHECK((code == errc::invalid_response || code == errc::content_mismatch));
  check_recovery();
}

TEST_CASE_FIXTURE(faulty_hub, "a server that ignores ranges is read in one stream") {
  auto fault = of_content();
  fault.ignore_range = true;
  SUBCASE("always") {}
  SUBCASE("from the third on") { fault.skip = 2; }
  SUBCASE("once in the middle") {
    fault.skip = 3;
    fault.times = 1;
  }
  hub->inject(fault);
  CHECK(fetch() == content);
}

TEST_CASE_FIXTURE(faulty_hub, "an etag that changes between ranges begins the file anew") {
  auto fault = of_content();
  fault.headers = {{"ETag", "\"other\""}};
  fault.skip = 3;
  fault.times = 1;
  hub->inject(fault);
  CHECK(fetch() == content);
}

TEST_CASE_FIXTURE(faulty_hub, "corrupted bytes are fetched again exactly once") {
  auto fault = of_content();
  fault.corrupt_file_byte = 700'000;
  auto of_small = of_resolve("GET");
  of_small.path_part = "a.txt";
  of_small.corrupt_byte = 3;
  const auto bearing = [&] {  // requests whose answer held the byte
    const auto requests = hub->requests();
    return std::count_if(requests.begin(), requests.end(), [&](const auto& each) {
      const auto asked = range_of(each);
      return each.content && asked && asked->first <= 700'000 && 700'000 < asked->second;
    });
  };
  SUBCASE("and may be right then") {
    fault.times = of_small.times = 1;
    hub->inject(fault);
    hub->inject(of_small);
    CHECK(fetch() == content);
    CHECK(bearing() == 2);
    CHECK(fetch_small() == "content");
  }
  SUBCASE("or are an error, and the partial goes") {
    hub->inject(fault);
    hub->inject(of_small);
    CHECK(failure().code() == errc::content_mismatch);
    CHECK(bearing() == 2);
    CHECK(names_below(repo_cache() / "blobs").empty());
    CHECK(small_failure().code() == errc::content_mismatch);
    CHECK(hub->count_requests("a.txt", "GET") == 2);
    check_recovery();
  }
}

TEST_CASE_FIXTURE(faulty_hub, "an answer that falls silent or trickles is given up for another") {
  client_settings.timeouts.stall = std::chrono::milliseconds(40);
  connect();
  auto fault = of_content();
  fault.times = 3;
  SUBCASE("silent") { fault.stall_after_bytes = 50'000; }
  SUBCASE("a byte now and then") {
    fault.trickle_bytes = 1;
    fault.trickle_interval = std::chrono::seconds(20);
  }
  hub->inject(fault);
  CHECK(fetch() == content);
}

TEST_CASE_FIXTURE(faulty_hub, "an answer that never begins is given up") {
  client_settings.timeouts.first_byte = std::chrono::milliseconds(40);
  client_settings.retries.attempts = 2;
  connect();
  auto fault = of_content();
  fault.stall = true;
  hub->inject(fault);
  CHECK(failure().code() == errc::timed_out);
  check_recovery();
}

TEST_CASE_FIXTURE(faulty_hub, "redirects in a circle end in an error") {
  auto fault = of_resolve("HEAD");
  SUBCASE("of the metadata") {}
  SUBCASE("of the content") { fault = of_content(); }
  fault.redirect_to_itself = true;
  hub->inject(fault);
  CHECK(failure().code() == errc::too_many_redirects);
  CHECK(hub->requests().size() < 40);
  check_recovery();
}

TEST_CASE_FIXTURE(faulty_hub, "a redirect to another scheme or to nowhere is not followed") {
  auto fault = of_resolve("HEAD");
  SUBCASE("of the metadata") {}
  SUBCASE("of the content") { fault = of_content(); }
  for (const char* location : {"file:///etc/passwd", "ftp://127.0.0.1/w.bin", "javascript:alert(1)",
                               "http://", "http://user@:99999999/"}) {
    CAPTURE(location);
    fault.redirect_to = location;
    hub->clear_faults();
    hub->inject(fault);
    const auto code = failure().code();
    CHECK((code == errc::invalid_response || code == errc::not_a_hub));
  }
  check_recovery();
}

TEST_CASE_FIXTURE(faulty_hub, "a head over 64 KiB is an error") {
  auto fault = of_resolve("HEAD");
  SUBCASE("of the metadata") {}
  SUBCASE("of the content") { fault = of_content(); }
  fault.head_padding = 80'000;
  hub->inject(fault);
  CHECK(failure().code() == errc::invalid_response);
  check_recovery();
}

TEST_CASE_FIXTURE(faulty_hub, "content that comes compressed unasked is an error") {
  auto fault = of_content();
  fault.headers = {{"Content-Encoding", "gzip"}};
  hub->inject(fault);
  CHECK(failure().code() == errc::invalid_response);
  check_recovery();
}

TEST_CASE_FIXTURE(faulty_hub, "an answer of the API that comes compressed unasked says so") {
  hub_fault fault;
  fault.path_part = "/api/models/alice/model";
  fault.headers = {{"Content-Encoding", "gzip"}};
  hub->inject(fault);
  const auto failed = failure_of(api->repo_info("alice/model"));
  CHECK(failed.code() == errc::invalid_response);
  CHECK(std::string_view(failed.what()).find("compressed") != std::string_view::npos);
}

TEST_CASE_FIXTURE(faulty_hub,
                  "names of a listing that lead elsewhere are refused, and write nothing") {
  auto fault = of_resolve({});
  fault.path_part = "/tree/";
  snapshot_download_options cached, local;
  local.local_dir = folder.path() / "here";
  run(api->download_file("alice/model", "a.txt"));  // the cache's own files are there
  const auto outside = [&] {
    auto names = names_below(folder.path());
    std::erase_if(names, [](const auto& name) {
      return name.starts_with("cache/models--alice--model/") || name.starts_with("hub/") ||
             name.starts_with("cache/.locks/") || name.starts_with("here/") || name == "here";
    });
    return names;
  };
  const auto before = outside();
  for (const char* name : {"../x", "a/../../../../../x", "/etc/cohub-x", "//x", "C:x", "d/C:x",
                           "..\\\\x", "\\\\x", "a\\u0000b", "..", "../", "x\\n", "\\u0001", ""}) {
    CAPTURE(name);
    fault.body = std::string(R"([{"type":"file","path":")") + name +
                 R"(","oid":"6b584e8ece562ebffc15d38808cd6b98fc3d97ea","size":7}])";
    hub->clear_faults();
    hub->inject(fault);
    const auto code = failure_of(api->snapshot_download("alice/model", cached)).code();
    CHECK((code == errc::invalid_path || code == errc::invalid_response));
    CHECK_THROWS_AS(run(api->snapshot_download("alice/model", local)), error);
    CHECK(outside() == before);
    CHECK_FALSE(fs::exists("/etc/cohub-x"));
  }
}

TEST_CASE_FIXTURE(faulty_hub, "an etag that would be a path is refused") {
  auto fault = of_resolve("HEAD");
  fault.headers = {{"X-Linked-Etag", "\"../../../x\""}};
  hub->inject(fault);
  CHECK(failure().code() == errc::invalid_response);
  CHECK_FALSE(fs::exists(folder.path() / "x"));
  check_recovery();
}

TEST_CASE_FIXTURE(faulty_hub, "pages that lead in a circle or to another host are an error") {
  auto fault = of_resolve("GET");
  fault.path_part = "/tree/";
  SUBCASE("to themselves") {
    fault.headers = {{"Link", '<' + hub->endpoint() +
                                  "/api/models/alice/model/tree/main?x=1>; "
                                  "rel=\"next\""}};
  }
  SUBCASE("to another host") {
    fault.headers = {{"Link", '<' + hub->content_endpoint() + "/tree/>; rel=\"next\""}};
  }
  SUBCASE("to another scheme") { fault.headers = {{"Link", "<file:///etc>; rel=\"next\""}}; }
  hub->inject(fault);
  const auto code = failure_of(api->snapshot_download("alice/model")).code();
  CHECK((code == errc::invalid_response || code == errc::invalid_url));
  CHECK(hub->requests().size() < 20);
}

TEST_CASE_FIXTURE(faulty_hub,
                  "addresses that expire are asked for anew, and only the ranges left") {
  auto fault = of_content();
  fault.status = 403;
  fault.skip = 2;
  fault.times = 2;
  hub->inject(fault);
  CHECK(fetch() == content);
  std::uint64_t served = 0;
  for (const auto& request : hub->requests())
    if (const auto asked = range_of(request); request.status == 206 && asked)
      served += asked->second - asked->first;
  CHECK(served < size + 2 * chunk);
  CHECK(hub->count_requests("/resolve/") >= 2);
}

TEST_CASE_FIXTURE(faulty_hub, "an address that is refused for ever is an error") {
  auto fault = of_content();
  fault.status = 403;
  hub->inject(fault);
  const auto e = failure();
  CHECK(e.http().status == 403);
  CHECK(std::string(e.what()).find("signature") == std::string::npos);
  check_recovery();
}

TEST_CASE_FIXTURE(faulty_hub, "a download under way survives that its addresses expire") {
  options.connections = 2;
  std::optional<fs::path> path;
  asio::co_spawn(context, api->download_file("alice/model", "w.bin", options),
                 [&](std::exception_ptr e, fs::path result) {
                   CHECK_FALSE(e);
                   path = std::move(result);
                 });
  for (const std::size_t begun : {1u, 3u}) {
    while (content_requests() < begun) context.run_one();
    hub->expire_urls();
  }
  while (!path) context.run_one();
  CHECK(test::read_all(*path) == content);
  CHECK(hub->count_requests("/resolve/") >= 2);
  const auto requests = hub->requests();
  CHECK(std::any_of(requests.begin(), requests.end(),
                    [](const auto& each) { return each.status == 403; }));
}
