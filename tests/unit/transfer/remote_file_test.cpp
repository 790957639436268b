#include "open_file_fixture.hpp"
#include "transfer/download/download_file.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace cohub;
using test::mib;
using test::scripted_reply;
using test::seen_request;
using fixture = test::open_file_fixture;
using then = test::scripted_reply::then;

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
  CHECK(shared->buffer_bytes->free_units() == 32 * mib);
}

TEST_CASE_FIXTURE(fixture, "a read-ahead beyond the budget is what the budget has to spare") {
  host(40 * mib);
  options.read_ahead = 128 * mib;
  auto file = open();
  CHECK(read_all(file, 10'007) == content());
  CHECK(contents.seen().size() <= 40);
  CHECK(shared->buffer_bytes->free_units() == 32 * mib);
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
  CHECK(shared->buffer_bytes->free_units() >= 28 * mib);
}

TEST_CASE_FIXTURE(fixture,
                  "without memory to spare reading ahead is given up, and reading goes on") {
  host(2 * mib);
  shared->buffer_bytes = std::make_shared<io::fair_semaphore>(mib);
  auto file = open();
  CHECK(read_all(file, 10'007) == content());
  CHECK(shared->buffer_bytes->free_units() == mib);
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
  CHECK(shared->buffer_bytes->free_units() == 32 * mib);
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

TEST_CASE_FIXTURE(fixture, "a cached file of another size than the Hub tells is not read") {
  host(3 * mib);
  const auto path = run(transfer::download_file(shared, "o/m", "f.bin", download_options{}));
  std::filesystem::resize_file(path, 1000);
  auto file = open();
  CHECK_FALSE(file.is_local());
  CHECK((read_all(file, mib) == content()));
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
