#include "transfer/download_content.hpp"

#include "cohub/error.hpp"

#include "http/transport.hpp"
#include "scripted_hub.hpp"
#include "transfer/content_fetch.hpp"
#include "transfer/partial_file.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <span>

using namespace cohub;
using test::scripted_reply;
using test::seen_request;
using then = test::scripted_reply::then;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t mib = 1u << 20;

struct fixture : test::scripted_hub {
  fs::path destination = folder.path() / "blobs" / "etag";
  transfer::content_settings settings;

  fixture() {
    settings.connections = 4;
    settings.chunk_size = mib;
    settings.observer = observer;
    io::create_directories(destination.parent_path());
  }

  transfer::content_description describe(const std::string& name) {
    transfer::content_description what;
    what.name = name;
    what.resolve =
        core::parse_url(api.origin() + "/o/m/resolve/" + test::scripted_commit + "/" + name)
            .value();
    what.credentials.set("Authorization", "Bearer hf_secret");
    what.size = files.at(name).content.size();
    what.etag = etag_of(name);
    return what;
  }

  void host(std::size_t size, bool large = true) {
    files["f.bin"].content = test::patterned(size);
    files["f.bin"].large = large;
  }

  void download() {
    run(transfer::download_content(shared, describe("f.bin"), destination, destination, settings));
  }

  boost::system::error_code failure() {
    try {
      download();
    } catch (const error& e) {
      return e.code();
    }
    return {};
  }

  bool is_right() { return io::read_file(destination, 1u << 30) == files["f.bin"].content; }

  std::set<std::string> left_behind() {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(destination.parent_path()))
      names.insert(entry.path().filename().string());
    return names;
  }

  /// The range of a request for the content; nothing for another request.
  static std::optional<core::byte_range> range_of(const seen_request& request) {
    const auto text = request.header("range");
    if (text.empty()) return {};
    return core::parse_range_header(text, 1ull << 40).range;
  }

  /// The right answer, cut after `bytes` of its body.
  scripted_reply cut(const seen_request& request, std::size_t bytes) {
    auto reply = send(request, files["f.bin"].content, "");
    reply.bytes.resize(std::min(reply.bytes.size(), reply.bytes.find("\r\n\r\n") + 4 + bytes));
    reply.after = then::close;
    return reply;
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "content of every size arrives whole") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, mib / 2, mib / 2 + 1, mib, mib + 1, 5 * mib + 12345}) {
    for (const bool large : {false, true}) {
      CAPTURE(size);
      CAPTURE(large);
      host(size, large);
      download();
      CHECK(is_right());
      CHECK(left_behind() == std::set<std::string>{"etag"});
    }
  }
}

TEST_CASE_FIXTURE(fixture, "what is for the Hub does not go where it redirects to") {
  host(mib / 2);
  auto what = describe("f.bin");
  what.credentials.set("X-Api-Key", "secret");
  run(transfer::download_content(shared, what, destination, destination, settings));
  CHECK(is_right());
  CHECK(api.seen().at(0).header("x-api-key") == "secret");
  CHECK(api.seen().at(0).header("authorization") == "Bearer hf_secret");
  REQUIRE(contents.seen().size() == 1);
  CHECK(contents.seen()[0].header("x-api-key").empty());
  CHECK(contents.seen()[0].header("authorization").empty());
}

TEST_CASE_FIXTURE(fixture, "a large file comes in ranges of one chunk, each asked for once") {
  host(5 * mib + 7);
  download();
  CHECK(is_right());
  std::map<std::uint64_t, std::uint64_t> ranges;
  for (const auto& request : contents.seen()) {
    const auto range = range_of(request);
    REQUIRE(range.has_value());
    ranges[range->begin] = range->end;
  }
  CHECK(contents.seen().size() == 6);
  CHECK(ranges.size() == 6);
  CHECK(ranges[5 * mib] == 5 * mib + 7);
  CHECK(contents.connections() <= settings.connections);
  CHECK(observer->count(transfer_event::kind::verified) == 1);
  CHECK(observer->last().bytes_done == 5 * mib + 7);
}

TEST_CASE_FIXTURE(fixture, "the token goes to the Hub alone, which is asked for the address once") {
  host(4 * mib);
  download();
  CHECK(api.seen().size() == 1);
  CHECK(api.seen()[0].header("authorization") == "Bearer hf_secret");
  for (const auto& request : contents.seen()) CHECK(request.header("authorization").empty());
}

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

TEST_CASE_FIXTURE(fixture, "a server without ranges is read as one stream") {
  host(3 * mib + 5);
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(200, files["f.bin"].content);
  };
  download();
  CHECK(is_right());
  CHECK(left_behind() == std::set<std::string>{"etag"});
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
    reply.lag = std::chrono::milliseconds(late == 1 ? 800 : 900);
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
  for (const int status : {0, 502, 503}) CHECK(transfer::may_retry(refused_by_proxy(status)));
  for (const int status : {403, 407}) CHECK_FALSE(transfer::may_retry(refused_by_proxy(status)));
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

TEST_CASE_FIXTURE(fixture, "notes on what was there stay until the content gets its place") {
  settings.outdated = folder.path() / "notes";
  for (const std::size_t size : {std::size_t{0}, mib / 4, 3 * mib}) {
    CAPTURE(size);
    host(size);
    io::write_file_atomically(settings.outdated, "old");
    content_fault = [](const seen_request&) { return scripted_reply::text(404, ""); };
    CHECK(failure().failed() == (size > 0));
    CHECK(fs::exists(settings.outdated) == (size > 0));
    content_fault = nullptr;
    download();
    CHECK_FALSE(fs::exists(settings.outdated));
  }
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

TEST_CASE_FIXTURE(fixture,
                  "what a stalled connection has left goes to another, long before it times out") {
  host(4 * mib);
  settings.connections = 2;
  bool stalled = false;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (stalled || range_of(request)->begin != mib) return {};
    stalled = true;
    auto reply = cut(request, 1000);
    reply.after = then::stall;
    return reply;
  };
  download();
  CHECK(stalled);
  CHECK(is_right());
  CHECK(observer->count(transfer_event::kind::resplit) == 1);
  CHECK(observer->count(transfer_event::kind::retry) == 0);
  CHECK(observer->last().bytes_done == 4 * mib);
}

TEST_CASE_FIXTURE(fixture, "the size of ranges adapts where none is asked for") {
  host(24 * mib);
  settings.chunk_size = 0;
  settings.connections = 4;
  download();
  CHECK(is_right());
  CHECK(requests("GET /f.bin") > 4);
  CHECK(contents.connections() <= 4);
}

TEST_CASE_FIXTURE(fixture, "a cancelled download stops at once and is continued by the next") {
  host(4 * mib);
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (range_of(request)->begin < mib) return {};
    auto reply = cut(request, 100);
    reply.after = then::stall;
    return reply;
  };
  asio::cancellation_signal stop;
  std::exception_ptr failed;
  bool ended = false;
  asio::co_spawn(
      context,
      transfer::download_content(shared, describe("f.bin"), destination, destination, settings),
      asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) {
        failed = e;
        ended = true;
      }));
  context.restart();
  while (!ended && (observer->last().bytes_done == 0 || contents.seen().size() < 4))
    context.run_one_for(std::chrono::seconds(5));
  REQUIRE_FALSE(ended);
  stop.emit(asio::cancellation_type::terminal);
  while (!ended) context.run_one_for(std::chrono::seconds(5));
  REQUIRE(failed);
  CHECK(observer->count(transfer_event::kind::retry) == 0);  // none of the silences was sat out
  CHECK(left_behind() == std::set<std::string>{"etag.cohub.journal", "etag.cohub.partial"});
  content_fault = nullptr;
  download();
  CHECK(is_right());
  CHECK(observer->count(transfer_event::kind::resumed) == 1);
  CHECK(left_behind() == std::set<std::string>{"etag"});
}

TEST_CASE_FIXTURE(fixture, "a download may be cancelled at any step, and the next one is right") {
  host(2 * mib + mib / 2);
  settings.observer = nullptr;
  bool finished = false;
  for (std::size_t steps = 1; !finished; steps += steps / 8 + 1) {
    CAPTURE(steps);
    asio::cancellation_signal stop;
    std::exception_ptr failed;
    bool ended = false;
    asio::co_spawn(
        context,
        transfer::download_content(shared, describe("f.bin"), destination, destination, settings),
        asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) {
          failed = e;
          ended = true;
        }));
    context.restart();
    for (std::size_t i = 0; i < steps && !ended; ++i) context.run_one_for(std::chrono::seconds(5));
    finished = ended;
    stop.emit(asio::cancellation_type::terminal);
    while (!ended) context.run_one_for(std::chrono::seconds(5));
    if (finished) CHECK_FALSE(failed);
    if (!failed) CHECK(fs::exists(destination));
    // A cancellation may come while the pool moves the file to its place: then it is there, whole.
    if (fs::exists(destination)) CHECK(is_right());
    if (!finished) fs::remove(destination);
  }
  CHECK(is_right());
  CHECK(left_behind() == std::set<std::string>{"etag"});
}

TEST_CASE_FIXTURE(fixture, "a small budget slows a download and does not stop it") {
  host(5 * mib);
  shared->buffers = std::make_shared<transfer::memory_budget>(mib);
  shared->blocks = std::make_shared<transfer::block_stack>(1);
  download();
  CHECK(is_right());
  CHECK(shared->buffers->free_bytes() == mib);
}

TEST_CASE_FIXTURE(fixture, "settings that make no sense are refused") {
  host(3 * mib);
  settings.chunk_size = 1000;
  CHECK(failure() == errc::invalid_argument);
  settings.chunk_size = mib;
  settings.connections = 0;
  CHECK(failure() == errc::invalid_argument);
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

TEST_CASE_FIXTURE(fixture, "progress never exceeds the total, and tells the end once") {
  struct totals : test::noting_observer {
    void on_progress(const transfer_progress& progress) override {
      most = std::max<std::uint64_t>(most, progress.bytes_done);
      ends += progress.bytes_done == progress.bytes_total;
    }
    std::atomic<std::uint64_t> most{0};
    std::atomic<int> ends{0};
  };
  host(8 * mib);
  const auto heard = std::make_shared<totals>();
  settings.observer = heard;
  settings.connections = 2;
  shared->retries.attempts = 1;
  // The second half comes first, and then the server knows no ranges any more.
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    const auto range = range_of(request);
    if (range && range->begin >= 4 * mib) return {};
    return scripted_reply::text(503, "");
  };
  CHECK(failure() == errc::server_failure);
  settings.chunk_size = 4 * mib;
  {
    transfer::partial_file half(destination, 8 * mib, etag_of("f.bin"));
    const std::span<const char> content(files["f.bin"].content);
    half.write(4 * mib, std::as_bytes(content.subspan(4 * mib, 2 * mib)));
    half.write(0, std::as_bytes(content.first(mib)));
  }
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(200, files["f.bin"].content);
  };
  download();
  CHECK(is_right());
  CHECK(heard->most == 8 * mib);
  CHECK(heard->ends == 1);
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
