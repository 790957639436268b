#include "open_file_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <deque>
#include <random>
#include <set>

using namespace cohub;
using test::mib;
using test::scripted_reply;
using test::seen_request;
using fixture = test::open_file_fixture;
using then = test::scripted_reply::then;

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

TEST_CASE_FIXTURE(fixture, "a server may give less of a range than was asked for") {
  host(mib);
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    const auto range = range_of(request);
    if (!range || range->size() <= mib / 4) return {};
    return scripted_reply::text(206, content().substr(range->begin, mib / 4),
                                "Content-Range: bytes " + std::to_string(range->begin) + '-' +
                                    std::to_string(range->begin + mib / 4 - 1) + '/' +
                                    std::to_string(mib) + "\r\n");
  };
  const auto file = open();
  CHECK((read_at(file, 100, mib - 100) == content().substr(100)));
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

TEST_CASE_FIXTURE(fixture, "a server that refuses ranges is read through, too") {
  host(3 * mib);
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (range_of(request)) return scripted_reply::text(501, "");
    return {};
  };
  auto file = open();
  CHECK((read_at(file, mib, 1000) == content().substr(mib, 1000)));
  CHECK((read_all(file, 100'000) == content()));
}

TEST_CASE_FIXTURE(fixture, "a stream that breaks now and then does not use up the retries") {
  host(3 * mib);
  http::transport_config config;
  config.retries.budget = 2;
  shared->transport = std::make_unique<http::transport>(context.get_executor(), config);
  bool cuts = true;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (range_of(request)) return scripted_reply::text(501, "");
    cuts = !cuts;
    if (cuts) return {};
    auto reply = scripted_reply::text(200, content());
    reply.bytes.resize(reply.bytes.size() - 3 * mib + 100);
    reply.after = then::close;
    return reply;
  };
  for (int i = 0; i < 5; ++i) {
    auto file = open();
    // The first bytes come, and no more by the same connection.
    CHECK(read(file, 100) == content().substr(0, 100));
    CHECK(read(file, 100) == content().substr(100, 100));
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
  CHECK(shared->buffer_bytes->free_units() < 32 * mib);
  file = remote_file();
  settle();
  CHECK(shared->buffer_bytes->free_units() == 32 * mib);
}

TEST_CASE_FIXTURE(fixture, "a read may be cancelled at any moment") {
  host(3 * mib);
  std::mt19937 random(11);
  options.read_ahead = mib;
  auto ahead = open();
  options.read_ahead = 0;
  auto direct = open();
  std::string bytes(600'000, '\0');
  std::size_t cancelled = 0;
  std::deque<asio::cancellation_signal> stops;  // Asio passes an emission on later, by address
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    auto& file = i % 3 == 0 ? direct : ahead;
    file.seek(random() % content().size());
    const auto position = file.position();
    auto& stop = stops.emplace_back();
    bool ended = false;
    std::optional<std::size_t> count;
    bool begun = false;
    auto reading = [&]() -> awaitable<std::size_t> {
      begun = true;
      auto operation = file.read(std::as_writable_bytes(std::span(bytes)));
      const auto got = co_await std::move(operation);
      co_return got;
    };
    asio::co_spawn(
        context, reading(),
        asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e, std::size_t got) {
          ended = true;
          if (!e) count = got;
        }));
    context.restart();
    // Asio throws out of the context where a coroutine is cancelled before it has begun.
    while (!begun) context.run_one_for(std::chrono::seconds(5));
    for (auto steps = random() % 60; steps > 0 && !ended; --steps)
      context.run_one_for(std::chrono::seconds(5));
    if (!ended) stop.emit(asio::cancellation_type::terminal);
    while (!ended) context.run_one_for(std::chrono::seconds(5));
    if (count)
      CHECK((bytes.substr(0, *count) == content().substr(position, bytes.size())));
    else
      CHECK(file.position() == position);
    cancelled += count ? 0 : 1;
    if (i % 10 != 0) continue;
    file.seek(position);  // as good as before
    CHECK(read(file, 1000) == content().substr(position, 1000));
  }
  CHECK(cancelled > 50);
  CHECK(cancelled < 290);
  ahead = remote_file();
  settle();
  CHECK(shared->buffer_bytes->free_units() == 32 * mib);
}

TEST_CASE_FIXTURE(fixture, "a context may go with a read in flight") {
  host(16 * mib);
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    return cut(request, 1000, then::stall);
  };
  auto file = open();
  const auto bytes = std::make_shared<std::string>(mib, '\0');
  asio::co_spawn(context, file.read(std::as_writable_bytes(std::span(*bytes))),
                 [bytes](std::exception_ptr, std::size_t) {});
  context.restart();
  while (contents.seen().empty()) context.run_one_for(std::chrono::seconds(5));
  CHECK(contents.seen().size() == 1);
}
