#include "content_fixture.hpp"
#include "transfer/download/partial_file.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <span>

using namespace cohub;
using test::mib;
using test::scripted_reply;
using test::seen_request;
using fixture = test::content_fixture;
using then = test::scripted_reply::then;
namespace fs = std::filesystem;

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

TEST_CASE_FIXTURE(fixture, "addresses that are good for one request are asked for as often") {
  host(6 * mib);
  std::set<std::string> used;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (used.insert(request.line).second) return {};
    return scripted_reply::text(403, "expired");
  };
  download();
  CHECK(is_right());
  CHECK(used.size() == 6);
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

TEST_CASE_FIXTURE(fixture, "who prepares the place is called once, before the content gets it") {
  for (const std::size_t size : {std::size_t{0}, mib / 4, 3 * mib}) {
    CAPTURE(size);
    host(size);
    fs::remove(destination);
    int called = 0;
    settings.before_placing = [&] {
      ++called;
      CHECK_FALSE(fs::exists(destination));
    };
    content_fault = [](const seen_request&) { return scripted_reply::text(404, ""); };
    CHECK(failure().failed() == (size > 0));
    CHECK(called == (size > 0 ? 0 : 1));
    content_fault = nullptr;
    fs::remove(destination);
    called = 0;
    download();
    CHECK(called == 1);
    CHECK(is_right());

    fs::remove(destination);
    settings.before_placing = [] { throw error(errc::invalid_path, "no place"); };
    CHECK(failure() == errc::invalid_path);
    CHECK_FALSE(fs::exists(destination));
    settings.before_placing = nullptr;
  }
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
  shared->buffer_bytes = std::make_shared<io::fair_semaphore>(mib);
  shared->blocks = std::make_shared<transfer::block_stack>(1);
  download();
  CHECK(is_right());
  CHECK(shared->buffer_bytes->free_units() == mib);
}

TEST_CASE_FIXTURE(fixture, "ranges are given out as there are turns, which files share") {
  host(8 * mib);
  shared->turns = std::make_shared<transfer::content_turns>(1);
  download();
  CHECK(is_right());
  CHECK(contents.connections() == 1);
  CHECK(transfer::content_turns::try_take(shared->turns));
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
