#include "content_fixture.hpp"
#include "http/transport.hpp"
#include "transfer/download/content_fetch.hpp"
#include "transfer/download/partial_file.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <utility>
#include <vector>

using namespace cohub;
using test::mib;
using test::scripted_reply;
using test::seen_request;
using fixture = test::content_fixture;
using then = test::scripted_reply::then;
namespace fs = std::filesystem;

TEST_CASE_FIXTURE(fixture, "a connection that drops in every range is made up for") {
  host(4 * mib);
  std::set<std::uint64_t> dropped;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    const auto range = range_of(request);
    if (range->begin % mib != 0 || !dropped.insert(range->begin).second) return {};
    return cut(request, 700'000);
  };
  download();
  CHECK(is_right());
  CHECK(dropped.size() == 4);
  // Each was continued where it stopped.
  CHECK(requests("GET /f.bin") == 8);
  CHECK(std::count_if(contents.seen().begin(), contents.seen().end(), [](const auto& request) {
          return range_of(request)->begin % mib == 700'000;
        }) == 4);
}

TEST_CASE_FIXTURE(fixture, "a server that answers 503 for a while is waited for") {
  host(3 * mib);
  int failures = 0;
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    if (++failures > 4) return {};
    return scripted_reply::text(503, "busy");
  };
  download();
  CHECK(is_right());
  CHECK(observer->count(transfer_event::kind::retry) == 4);
}

TEST_CASE_FIXTURE(fixture, "a server that always fails is given up, and what came stays") {
  host(4 * mib);
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (range_of(request)->begin < 2 * mib) return {};
    return scripted_reply::text(503, "busy");
  };
  CHECK(failure() == errc::server_failure);
  CHECK_FALSE(fs::exists(destination));
  content_fault = nullptr;
  const auto before = contents.seen().size();
  download();
  CHECK(is_right());
  CHECK(observer->count(transfer_event::kind::resumed) == 1);
  for (std::size_t i = before; i < contents.seen().size(); ++i)
    CHECK(range_of(contents.seen()[i])->begin > 0);
}

TEST_CASE_FIXTURE(fixture, "an answer with another range than asked for is refused") {
  host(3 * mib);
  const auto wrong = [&](const std::string& content_range) {
    content_fault = [=](const seen_request&) -> std::optional<scripted_reply> {
      return scripted_reply::text(206, std::string(mib, 'x'),
                                  "Content-Range: " + content_range + "\r\n");
    };
    return failure();
  };
  CHECK(wrong("bytes 1-1048576/3145728") == errc::invalid_response);
  CHECK(wrong("bytes 0-1048575/3145729") == errc::invalid_response);
  CHECK(wrong("nonsense") == errc::invalid_response);
  CHECK_FALSE(fs::exists(destination));
}

TEST_CASE_FIXTURE(fixture, "corrupted bytes are never published: one more try, then an error") {
  for (const std::size_t size : {mib / 4, 3 * mib}) {
    CAPTURE(size);
    host(size);
    int corrupted = 0;
    bool always = true;
    content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
      const auto range = range_of(request);
      if ((range && range->begin > 0) || (!always && corrupted > 0)) return {};
      ++corrupted;
      auto content = files["f.bin"].content;
      content[1000] = static_cast<char>(content[1000] + 1);
      return send(request, content, "");
    };
    CHECK(failure() == errc::content_mismatch);
    CHECK(corrupted == 2);
    CHECK(left_behind().empty());
    corrupted = 0;
    always = false;
    download();
    CHECK(is_right());
    CHECK(corrupted == 1);
    fs::remove(destination);
  }
}

TEST_CASE_FIXTURE(fixture, "content that changes between two ranges is fetched anew") {
  host(4 * mib);
  settings.connections = 1;
  int answers = 0;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    return send(request, files["f.bin"].content,
                ++answers < 3 ? "ETag: \"old\"\r\n" : "ETag: \"new\"\r\n");
  };
  download();
  CHECK(is_right());
  CHECK(contents.seen()[1].header("if-range") == "\"old\"");
  CHECK(observer->count(transfer_event::kind::retry) == 1);
}

TEST_CASE_FIXTURE(fixture, "where each node has an ETag of its own, the checksum decides") {
  host(4 * mib);
  int answers = 0;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    return send(request, files["f.bin"].content, "ETag: \"" + std::to_string(++answers) + "\"\r\n");
  };
  download();
  CHECK(is_right());
}

TEST_CASE_FIXTURE(fixture, "folders that somebody deletes meanwhile are made again") {
  host(4 * mib);
  int answers = 0;
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    if (++answers == 4) std::filesystem::remove_all(destination.parent_path());
    return {};
  };
  download();
  CHECK(is_right());
  CHECK(left_behind() == std::set<std::string>{"etag"});
}

TEST_CASE_FIXTURE(fixture, "a length other than promised is an error") {
  host(mib / 4);
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(200, "short");
  };
  CHECK(failure() == errc::content_mismatch);
  CHECK(left_behind().empty());
}

TEST_CASE_FIXTURE(fixture, "something else that answers for a while costs nothing that came") {
  host(4 * mib);
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (range_of(request)->begin < 2 * mib) return {};
    return scripted_reply::text(200, "please log in", "ETag: \"portal\"\r\n");
  };
  CHECK(failure() == errc::content_mismatch);
  CHECK(left_behind() == std::set<std::string>{"etag.cohub.journal", "etag.cohub.partial"});
  int pages = 0;
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    if (++pages > 2) return {};
    return scripted_reply::text(200, "please log in");
  };
  const auto before = contents.seen().size();
  download();
  CHECK(is_right());
  CHECK(observer->count(transfer_event::kind::resumed) == 1);
  for (std::size_t i = before; i < contents.seen().size(); ++i)
    CHECK(range_of(contents.seen()[i])->begin > 0);
}

TEST_CASE_FIXTURE(fixture,
                  "a server that starts over each time and never comes further is given up") {
  host(300'000);
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    auto reply = scripted_reply::text(200, files["f.bin"].content);
    reply.bytes.resize(reply.bytes.find("\r\n\r\n") + 4 + 100'000);
    reply.after = then::close;
    return reply;
  };
  CHECK(failure() == errc::truncated_body);
  CHECK(contents.seen().size() <= 1 + shared->retries.attempts);
}

TEST_CASE_FIXTURE(fixture, "the answer to a range that another has taken over concerns nobody") {
  host(2 * mib);
  settings.connections = 2;
  auto what = describe("f.bin");
  what.etag = "opaque-1";
  bool fails = false;
  SUBCASE("a good one, of untold length") {}
  SUBCASE("a failure") { fails = true; }
  int late = 0;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    const auto range = range_of(request);
    if (range->begin != mib) return {};
    auto reply = send(request, files["f.bin"].content, "");
    if (++late == 1 && fails) reply = scripted_reply::text(416, "");
    if (late == 1 && !fails) {
      reply.bytes =
          "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1048576-2097151/2097152\r\n"
          "Transfer-Encoding: chunked\r\n\r\n100000\r\n" +
          files["f.bin"].content.substr(mib) + "\r\n0\r\n\r\n";
    }
    reply.lag = std::chrono::milliseconds(late == 1 ? 800 : 600);
    return reply;
  };
  run(transfer::download_content(shared, what, destination, destination, settings));
  CHECK(is_right());
  CHECK(late == 2);
  CHECK(observer->count(transfer_event::kind::resplit) == 1);
}

TEST_CASE("a proxy that has trouble may be better the next time") {
  const auto refused_by_proxy = [](int status) {
    http_context context;
    context.status = status;
    return std::make_exception_ptr(error(errc::proxy_failure, "connecting", context));
  };
  for (const auto& [status, may_retry] : std::vector<std::pair<int, bool>>{
           {0, true}, {502, true}, {503, true}, {403, false}, {407, false}}) {
    CAPTURE(status);
    transfer::opened_content opened;
    opened.fail(refused_by_proxy(status));
    CHECK(opened.failure);
    CHECK(opened.may_retry == may_retry);
  }
}

TEST_CASE_FIXTURE(fixture, "nothing is no content where something was promised") {
  host(0);
  auto what = describe("f.bin");
  what.etag = core::sha256_hex("x");
  try {
    run(transfer::download_content(shared, what, destination, destination, settings));
    FAIL("nothing was thrown");
  } catch (const error& e) {
    CHECK(e.code() == errc::content_mismatch);
  }
  CHECK(left_behind().empty());
}

TEST_CASE_FIXTURE(fixture, "a body that always ends early is truncated") {
  for (const std::size_t size : {mib / 4, 3 * mib}) {
    host(size);
    content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
      return cut(request, 0);
    };
    CHECK(failure() == errc::truncated_body);
    CHECK_FALSE(fs::exists(destination));
  }
}

TEST_CASE_FIXTURE(fixture, "an address that expires on the way is asked for again") {
  host(6 * mib);
  settings.connections = 2;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    const bool first_signature = request.line.find("signature=1 ") != std::string::npos;
    if (!first_signature || range_of(request)->begin < 3 * mib) return {};
    return scripted_reply::text(403, "expired");
  };
  download();
  CHECK(is_right());
  CHECK(api.seen().size() == 2);
  CHECK(observer->count(transfer_event::kind::retry) >= 1);
}

TEST_CASE_FIXTURE(fixture, "a refusal of the Hub itself is an error at once") {
  host(3 * mib);
  api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(403, "", "X-Error-Code: GatedRepo\r\n");
  };
  CHECK(failure() == errc::gated_repository);
  CHECK(requests() == 1);
}

TEST_CASE_FIXTURE(fixture, "compressed content that nobody asked for is refused") {
  host(mib / 4);
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    return send(request, files["f.bin"].content, "Content-Encoding: gzip\r\n");
  };
  CHECK(failure() == errc::invalid_response);
}

TEST_CASE_FIXTURE(fixture, "a budget bounds the tries of all contents together") {
  http::transport_config config;
  config.retries = shared->retries;
  config.retries.budget = 3;
  shared->transport = std::make_unique<http::transport>(context.get_executor(), config);
  host(mib / 2);
  content_fault = [](const seen_request&) { return scripted_reply::text(500, ""); };
  for (int i = 0; i < 4; ++i) CHECK(failure() == errc::server_failure);
  CHECK(contents.seen().size() == 4 + 3);
}

TEST_CASE_FIXTURE(fixture, "going on where the last try stopped needs no budget") {
  http::transport_config config;
  config.retries = shared->retries;
  config.retries.budget = 0;
  shared->transport = std::make_unique<http::transport>(context.get_executor(), config);
  SUBCASE("in ranges") { host(3 * mib); }
  SUBCASE("whole") { host(mib); }
  content_fault = [this](const seen_request& request) { return cut(request, 100'000); };
  download();
  CHECK(is_right());
  CHECK(contents.seen().size() > 10);
}

TEST_CASE_FIXTURE(fixture, "an address that the Hub signs on its own origin may expire, too") {
  host(6 * mib);
  settings.connections = 2;
  int signatures = 0;
  api_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.find("/o/m/resolve/") != std::string::npos)
      return scripted_reply::text(302, "",
                                  "Location: /signed/" + std::to_string(++signatures) + "\r\n");
    if (request.line.find("/signed/1 ") != std::string::npos && range_of(request)->begin >= 3 * mib)
      return scripted_reply::text(403, "expired");
    return send(request, files["f.bin"].content, "");
  };
  download();
  CHECK(is_right());
  CHECK(signatures == 2);
}

TEST_CASE_FIXTURE(fixture, "an answer of untold length must end where the content does") {
  const auto chunked = [&](const seen_request& request, std::size_t more) {
    const auto& content = files["f.bin"].content;
    const auto range = range_of(request);
    std::string head = "HTTP/1.1 200 OK\r\n";
    std::string body = content;
    if (range) {
      head = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " +
             std::to_string(range->begin) + "-" + std::to_string(range->end - 1) + "/" +
             std::to_string(content.size()) + "\r\n";
      body = content.substr(range->begin, range->size());
    }
    body += std::string(more, 'x');
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx", body.size());
    scripted_reply reply;
    reply.bytes =
        head + "Transfer-Encoding: chunked\r\n\r\n" + size.data() + "\r\n" + body + "\r\n0\r\n\r\n";
    return reply;
  };
  std::size_t size = 0;
  bool in_ranges = false;
  SUBCASE("small") { size = mib / 4; }
  SUBCASE("one stream") { size = 3 * mib; }
  SUBCASE("ranges") {
    size = 3 * mib;
    in_ranges = true;
  }
  host(size);
  settings.chunk_size = in_ranges ? mib : 0;
  std::size_t more = 0;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    return chunked(request, more);
  };
  auto what = describe("f.bin");
  what.etag = "opaque-1";
  const auto fetch = [&] {
    run(transfer::download_content(shared, what, destination, destination, settings));
  };
  fetch();
  CHECK(is_right());
  fs::remove(destination);
  more = 1;
  try {
    fetch();
    FAIL("nothing was thrown");
  } catch (const error& e) {
    CHECK(e.code() == errc::content_mismatch);
  }
  CHECK_FALSE(fs::exists(destination));
}
