#include "transfer/remote_file.hpp"

#include "cohub/error.hpp"

#include "scripted_hub.hpp"
#include "transfer/download_file.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <random>

using namespace cohub;
using test::scripted_reply;
using test::seen_request;
using then = test::scripted_reply::then;

namespace {

constexpr std::size_t mib = 1u << 20;

struct fixture : test::scripted_hub {
  open_file_options options;

  void host(std::size_t size, bool large = true) {
    files["f.bin"].content = test::patterned(size);
    files["f.bin"].large = large;
  }
  const std::string& content() { return files["f.bin"].content; }

  remote_file open() { return run(transfer::open_file(shared, "o/m", "f.bin", options)); }

  std::string read_at(const remote_file& file, std::uint64_t offset, std::size_t size) {
    std::string bytes(size, '\0');
    bytes.resize(run(file.read_at(offset, std::as_writable_bytes(std::span(bytes)))));
    return bytes;
  }
  std::string read(remote_file& file, std::size_t size) {
    std::string bytes(size, '\0');
    bytes.resize(run(file.read(std::as_writable_bytes(std::span(bytes)))));
    return bytes;
  }
  std::string read_all(remote_file& file, std::size_t step) {
    std::string all;
    for (;;) {
      const auto piece = read(file, step);
      all += piece;
      if (piece.size() < step) return all;
    }
  }

  template <class Action>
  boost::system::error_code failure_of(Action action) {
    try {
      action();
    } catch (const error& e) {
      return e.code();
    }
    return {};
  }

  /// Lets what was posted run.
  void settle() {
    context.restart();
    while (context.poll_one() > 0) {
    }
  }

  static std::optional<core::byte_range> range_of(const seen_request& request) {
    const auto text = request.header("range");
    if (text.empty()) return {};
    return core::parse_range_header(text, 1ull << 40).range;
  }

  /// The right answer, cut after `bytes` of its body.
  scripted_reply cut(const seen_request& request, std::size_t bytes, then after = then::close) {
    auto reply = send(request, content(), "ETag: \"content-of-f.bin\"\r\n");
    reply.bytes.resize(std::min(reply.bytes.size(), reply.bytes.find("\r\n\r\n") + 4 + bytes));
    reply.after = after;
    return reply;
  }

  /// Makes the server send the whole content whatever is asked for.
  void ignore_ranges() {
    content_fault = [this](const seen_request&) -> std::optional<scripted_reply> {
      return scripted_reply::text(200, content());
    };
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a part is read by one ranged request, pinned to the commit") {
  for (const bool large : {true, false}) {
    CAPTURE(large);
    host(3 * mib, large);
    const auto before = requests();
    const auto file = open();
    CHECK(requests() == before + 1);
    CHECK(file.path() == "f.bin");
    CHECK(file.size() == 3 * mib);
    CHECK(file.commit() == test::scripted_commit);
    CHECK(file.etag() == etag_of("f.bin"));
    CHECK_FALSE(file.is_local());
    CHECK(read_at(file, 1'000'000, 100) == content().substr(1'000'000, 100));
    CHECK(requests() == before + 2);
    const auto& seen = large ? contents.seen().back() : api.seen().back();
    CHECK(seen.header("range") == "bytes=1000000-1000099");
    CHECK(seen.header("accept-encoding") == "identity");
    if (large)
      CHECK(seen.header("authorization").empty());
    else
      CHECK(seen.line.starts_with("GET /o/m/resolve/" + test::scripted_commit + "/f.bin"));
  }
}

TEST_CASE_FIXTURE(fixture, "reads end where the file ends") {
  host(1000);
  auto file = open();
  CHECK(read_at(file, 990, 100) == content().substr(990));
  const auto before = requests();
  CHECK(read_at(file, 1000, 100).empty());
  CHECK(read_at(file, ~std::uint64_t{0}, 100).empty());
  CHECK(read_at(file, 10, 0).empty());
  file.seek(5000);
  CHECK(read(file, 10).empty());
  CHECK(requests() == before);
  host(0);
  auto empty = open();
  CHECK(empty.size() == 0);
  CHECK(read(empty, 10).empty());
}

TEST_CASE_FIXTURE(fixture, "small sequential reads share few requests, several in flight") {
  host(12 * mib + 321);
  options.read_ahead = 4 * mib;
  auto file = open();
  CHECK(read_all(file, 10'007) == content());
  CHECK(file.position() == content().size());
  CHECK(contents.seen().size() <= 20);
  std::uint64_t asked = 0;
  for (const auto& request : contents.seen()) asked += range_of(request)->size();
  CHECK(asked == content().size());  // nothing twice
  CHECK(contents.connections() > 1);
  CHECK(contents.connections() <= options.connections);
  CHECK(shared->buffers->free_bytes() == 32 * mib);
}

TEST_CASE_FIXTURE(fixture, "a reader that looks at little fetches little") {
  host(64 * mib);
  auto file = open();
  CHECK(read(file, 8) == content().substr(0, 8));
  settle();
  REQUIRE(contents.seen().size() == 1);
  CHECK(contents.seen()[0].header("range") == "bytes=0-262143");
  file.seek(50 * mib);
  CHECK(read(file, 8) == content().substr(50 * mib, 8));
  settle();
  CHECK(contents.seen().size() == 2);
}

TEST_CASE_FIXTURE(fixture, "no more than the read-ahead is fetched while the reader pauses") {
  host(64 * mib);
  options.read_ahead = 4 * mib;
  auto file = open();
  CHECK(read(file, 3 * mib) == content().substr(0, 3 * mib));
  for (int i = 0; i < 200; ++i) {  // all that is in flight arrives
    context.restart();
    context.run_for(std::chrono::milliseconds(1));
  }
  std::uint64_t end = 0;
  for (const auto& request : contents.seen()) end = std::max(end, range_of(request)->end);
  CHECK(end > 3 * mib);
  CHECK(end <= 7 * mib);
  CHECK(shared->buffers->free_bytes() >= 28 * mib);
}

TEST_CASE_FIXTURE(fixture,
                  "without memory to spare reading ahead is given up, and reading goes on") {
  host(2 * mib);
  shared->buffers = std::make_shared<transfer::memory_budget>(mib);
  auto file = open();
  CHECK(read_all(file, 10'007) == content());
  CHECK(shared->buffers->free_bytes() == mib);
  CHECK(contents.seen().size() == 32);  // 64 KiB each
  options.read_ahead = 0;
  auto other = open();
  CHECK(read_all(other, 300'000) == content());
}

TEST_CASE_FIXTURE(fixture, "jumping about reads what is asked for") {
  host(5 * mib);
  options.read_ahead = mib;
  auto file = open();
  std::mt19937 random(7);
  for (int i = 0; i < 60; ++i) {
    const std::size_t offset = random() % content().size();
    const std::size_t size = random() % (i % 10 == 0 ? 3 * mib : 70'000);
    CAPTURE(offset);
    CAPTURE(size);
    file.seek(offset);
    CHECK((read(file, size) == content().substr(offset, size)));
    CHECK(
        (read(file, 100) == (offset + size < content().size() ? content().substr(offset + size, 100)
                                                              : std::string())));
  }
}

TEST_CASE_FIXTURE(fixture, "a large part comes in parallel ranges straight into place") {
  host(20 * mib);
  const auto file = open();
  CHECK((read_at(file, 1, 18 * mib) == content().substr(1, 18 * mib)));
  CHECK(contents.seen().size() == 4);
  CHECK(contents.connections() == 4);
  CHECK(shared->buffers->free_bytes() == 32 * mib);
}

TEST_CASE_FIXTURE(fixture, "a dropped connection is taken up at the byte where it broke") {
  host(2 * mib);
  std::set<std::uint64_t> begins;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    begins.insert(range_of(request)->begin);
    return cut(request, 300'000);
  };
  const auto file = open();
  CHECK((read_at(file, 5, mib) == content().substr(5, mib)));
  CHECK(begins == std::set<std::uint64_t>{5, 300'005, 600'005, 900'005});
  auto again = open();
  CHECK((read_all(again, 100'000) == content()));
  CHECK(observer->count(transfer_event::kind::retry) >= 6);
}

TEST_CASE_FIXTURE(fixture, "a server that is busy is asked again") {
  host(mib);
  int busy = 3;
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    if (busy-- > 0) return scripted_reply::text(503, "");
    return {};
  };
  auto file = open();
  CHECK((read_all(file, mib) == content()));
  busy = 1000;
  CHECK(failure_of([&] { read_at(file, 0, 10); }) == errc::server_failure);
  busy = 0;
  CHECK(read_at(file, 0, 10) == content().substr(0, 10));  // the file is as good as before
}

TEST_CASE_FIXTURE(fixture, "an address that expired is asked for anew") {
  host(4 * mib);
  options.read_ahead = mib;
  std::string good = "signature=1";
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.find(good + " ") != std::string::npos) return {};
    return scripted_reply::text(403, "expired");
  };
  auto file = open();
  CHECK((read(file, 2 * mib) == content().substr(0, 2 * mib)));
  CHECK(api.seen().size() == 1);
  good = "signature=2";
  CHECK((read(file, 2 * mib) == content().substr(2 * mib)));
  CHECK(api.seen().size() == 2);
  good = "signature=3";
  CHECK(read_at(file, 77, 7) == content().substr(77, 7));
  CHECK(api.seen().size() == 3);
  CHECK(api.seen()[2].line.starts_with("GET /o/m/resolve/" + test::scripted_commit));
}

TEST_CASE_FIXTURE(fixture, "a refusal by the Hub itself is an error at once") {
  host(mib, false);
  const auto file = open();
  api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(403, "", "X-Error-Code: GatedRepo\r\n");
  };
  CHECK(failure_of([&] { read_at(file, 0, 10); }) == errc::gated_repository);
}

TEST_CASE_FIXTURE(fixture, "a content that changes is an error, never a mixture") {
  host(4 * mib);
  options.read_ahead = 0;
  auto file = open();
  CHECK(read_at(file, 0, 100) == content().substr(0, 100));

  SUBCASE("the storage tells by the ETag, as If-Range asks it to") {
    content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
      CHECK(request.header("if-range") == "\"content-of-f.bin\"");
      return scripted_reply::text(200, std::string(4 * mib, 'x'), "ETag: \"other\"\r\n");
    };
  }
  SUBCASE("the storage honours the range of another content") {
    content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
      return send(request, std::string(4 * mib, 'x'), "ETag: \"other\"\r\n");
    };
  }
  SUBCASE("the total of the range is another") {
    content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
      return send(request, std::string(5 * mib, 'x'), "");
    };
  }
  SUBCASE("the Hub tells when a new address is asked for") {
    files["f.bin"].content[3] ^= 1;
    content_fault = [](const seen_request& request) -> std::optional<scripted_reply> {
      if (request.line.find("signature=1 ") == std::string::npos) return {};
      return scripted_reply::text(403, "expired");
    };
  }
  const auto code = failure_of([&] { read_at(file, 100, 100); });
  CHECK((code == errc::content_mismatch || code == errc::invalid_response));
  CHECK(failure_of([&] { read(file, 100); }) == code);
  CHECK(file.position() == 0);
}

TEST_CASE_FIXTURE(fixture, "a wrong Content-Range is refused") {
  host(mib);
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(206, content().substr(0, 100),
                                "Content-Range: bytes 0-99/" + std::to_string(mib) + "\r\n");
  };
  const auto file = open();
  CHECK(failure_of([&] { read_at(file, 100, 100); }) == errc::invalid_response);
}

TEST_CASE_FIXTURE(fixture, "a server without ranges is read through in one stream") {
  host(30 * mib);
  ignore_ranges();
  auto file = open();
  CHECK((read_all(file, 100'000) == content()));
  CHECK(contents.seen().size() <= 6);  // those in flight when it showed, and the stream

  SUBCASE("a jump ahead is read through, one back begins anew, within the bound") {
    const auto before = contents.seen().size();
    file.seek(5 * mib);
    CHECK(read(file, 10) == content().substr(5 * mib, 10));
    CHECK(contents.seen().size() == before + 1);
    file.seek(20 * mib);
    CHECK(read(file, 10) == content().substr(20 * mib, 10));
    CHECK(contents.seen().size() == before + 1);
    file.seek(100);
    CHECK(read(file, 10) == content().substr(100, 10));
    CHECK(contents.seen().size() == before + 2);
    file.seek(100 + 17 * mib);
    CHECK(failure_of([&] { read(file, 10); }) == errc::ranges_unsupported);
    CHECK(contents.seen().size() == before + 2);
  }
  SUBCASE("random access is read through, within the bound") {
    CHECK(read_at(file, 5 * mib, 10) == content().substr(5 * mib, 10));
    CHECK(failure_of([&] { read_at(file, 16 * mib + 1, 10); }) == errc::ranges_unsupported);
  }
}

TEST_CASE_FIXTURE(fixture, "a stream of a server without ranges survives its connection") {
  host(3 * mib);
  options.max_read_through = 1000;
  int cuts = 3;
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    auto reply = scripted_reply::text(200, content());
    if (cuts-- <= 0) return reply;
    reply.bytes.resize(reply.bytes.size() - static_cast<std::size_t>(1 + cuts) * 700'000);
    reply.after = then::close;
    return reply;
  };
  auto file = open();
  CHECK((read_all(file, 70'000) == content()));
}

TEST_CASE_FIXTURE(fixture, "a cancelled read leaves the file usable, and its position") {
  host(4 * mib);
  for (const std::uint64_t ahead : {std::uint64_t{0}, std::uint64_t{2 * mib}}) {
    CAPTURE(ahead);
    options.read_ahead = ahead;
    content_fault = nullptr;
    auto file = open();
    CHECK((read(file, 300'000) == content().substr(0, 300'000)));
    content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
      return cut(request, 1000, then::stall);
    };
    std::string bytes(2 * mib, '\0');
    asio::cancellation_signal stop;
    std::exception_ptr failed;
    bool ended = false;
    const auto seen = contents.seen().size();
    asio::co_spawn(
        context, file.read(std::as_writable_bytes(std::span(bytes))),
        asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e, std::size_t) {
          failed = e;
          ended = true;
        }));
    context.restart();
    while (!ended && contents.seen().size() == seen) context.run_one_for(std::chrono::seconds(5));
    REQUIRE_FALSE(ended);
    CHECK(failure_of([&] { read(file, 1); }) == errc::invalid_argument);
    CHECK(failure_of([&] { file.seek(0); }) == errc::invalid_argument);
    stop.emit(asio::cancellation_type::terminal);
    settle();
    REQUIRE(ended);
    REQUIRE(failed);
    CHECK_THROWS_AS(std::rethrow_exception(failed), boost::system::system_error);
    CHECK(file.position() == 300'000);
    content_fault = nullptr;
    file.seek(100'000);  // what stalled is let go of
    CHECK((read(file, 2 * mib) == content().substr(100'000, 2 * mib)));
  }
}

TEST_CASE_FIXTURE(fixture, "a file that goes stops what it fetched in advance") {
  host(16 * mib);
  auto file = open();
  CHECK((read(file, 4 * mib) == content().substr(0, 4 * mib)));
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    return cut(request, 1000, then::stall);
  };
  CHECK((read(file, mib) == content().substr(4 * mib, mib)));
  settle();
  CHECK(shared->buffers->free_bytes() < 32 * mib);
  file = remote_file();
  settle();
  CHECK(shared->buffers->free_bytes() == 32 * mib);
}

TEST_CASE_FIXTURE(fixture, "a read outlives its file") {
  host(4 * mib);
  std::string bytes(content().size(), '\0');
  std::optional<awaitable<std::size_t>> reading;
  {
    auto file = open();
    reading = file.read(std::as_writable_bytes(std::span(bytes)));
  }
  CHECK(run(std::move(*reading)) == bytes.size());
  CHECK((bytes == content()));
}

TEST_CASE_FIXTURE(fixture, "what is in the cache is read from there") {
  host(3 * mib);
  run(transfer::download_file(shared, "o/m", "f.bin", download_options{}));
  const auto before = requests();

  SUBCASE("at a commit, without a request") {
    options.revision = test::scripted_commit;
    auto file = open();
    CHECK(file.is_local());
    CHECK(file.etag() == etag_of("f.bin"));
    CHECK(file.commit() == test::scripted_commit);
    CHECK((read_all(file, 10'007) == content()));
    CHECK(read_at(file, mib, 9) == content().substr(mib, 9));
    CHECK(requests() == before);
  }
  SUBCASE("at a branch, after asking for its commit") {
    auto file = open();
    CHECK(file.is_local());
    CHECK((read_all(file, 1'000'003) == content()));
    CHECK(requests() == before + 1);
  }
  SUBCASE("at a branch, when no request is to be made") {
    options.local_files_only = true;
    auto file = open();
    CHECK((read_all(file, mib) == content()));
    CHECK(requests() == before);
  }
  SUBCASE("at a branch, when the Hub cannot be reached") {
    api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
      scripted_reply reply;
      reply.after = then::reset;
      return reply;
    };
    auto file = open();
    CHECK((read_all(file, mib) == content()));
  }
}

TEST_CASE_FIXTURE(fixture, "what is not there is told when the file is opened") {
  CHECK(failure_of([&] { open(); }) == errc::entry_not_found);
  host(10);
  options.local_files_only = true;
  CHECK(failure_of([&] { open(); }) == errc::local_entry_not_found);
  options.local_files_only = false;
  options.connections = 0;
  CHECK(failure_of([&] { open(); }) == errc::invalid_argument);
}

TEST_CASE_FIXTURE(fixture, "a small file is read whole, checked, and bounded") {
  host(10'000);
  read_file_options how;
  CHECK(run(transfer::read_file(shared, "o/m", "f.bin", how)) == content());
  how.max_bytes = 9'999;
  const auto before = requests("GET ");
  CHECK(failure_of([&] { run(transfer::read_file(shared, "o/m", "f.bin", how)); }) ==
        boost::system::errc::file_too_large);
  CHECK(requests("GET ") == before);
  how.max_bytes = 10'000;
  content_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    auto corrupt = content();
    corrupt[5'000] ^= 1;
    return scripted_reply::text(200, corrupt);
  };
  CHECK(failure_of([&] { run(transfer::read_file(shared, "o/m", "f.bin", how)); }) ==
        errc::content_mismatch);
}
