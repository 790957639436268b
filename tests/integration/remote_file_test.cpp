#include "cohub/remote_file.hpp"

#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using test::noise;

namespace {

constexpr std::size_t mib = 1u << 20;

struct fixture : test::client_fixture {
  static local_hub_config settings() {
    local_hub_config config;
    config.lfs_threshold = 100'000;
    return config;
  }
  fixture() : client_fixture(settings()) {}

  std::string read(remote_file& file, std::size_t size) {
    std::string bytes(size, '\0');
    bytes.resize(run(file.read(std::as_writable_bytes(std::span(bytes)))));
    return bytes;
  }
  std::string read_at(const remote_file& file, std::uint64_t offset, std::size_t size) {
    std::string bytes(size, '\0');
    bytes.resize(run(file.read_at(offset, std::as_writable_bytes(std::span(bytes)))));
    return bytes;
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a file is read where it is, by ranges of what its size is") {
  const auto content = noise(5 * mib);
  put_file("alice/m", "sub/weights.bin", content);
  hub->clear_requests();
  auto file = run(api->open_file("alice/m", "sub/weights.bin"));
  CHECK(file.size() == content.size());
  CHECK(hub->requests().size() == 1);
  CHECK(read_at(file, 4'000'000, 12) == content.substr(4'000'000, 12));
  CHECK(hub->requests().size() == 2);
  const auto request = hub->requests().back();
  CHECK(request.content);
  CHECK_FALSE(request.authorized);
  CHECK(request.range == "bytes=4000000-4000011");
  std::string all;
  for (auto piece = read(file, 70'000); !piece.empty(); piece = read(file, 70'000)) all += piece;
  CHECK((all == content));
  CHECK(hub->requests().size() < 20);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "cache"));
}

TEST_CASE_FIXTURE(fixture, "an open file stays at the commit it was opened at") {
  const auto old = noise(3 * mib, 1);
  put_file("alice/m", "weights.bin", old);
  put_file("alice/m", "config.json", "{}");
  auto weights = run(api->open_file("alice/m", "weights.bin"));
  auto settings_file = run(api->open_file("alice/m", "config.json"));
  put_file("alice/m", "weights.bin", noise(3 * mib, 2));
  put_file("alice/m", "config.json", R"({"a":1})");
  CHECK((read(weights, 4 * mib) == old));
  CHECK(read(settings_file, 100) == "{}");
  const auto now = run(api->open_file("alice/m", "weights.bin"));
  CHECK(now.commit() != weights.commit());
  CHECK((read_at(now, 0, 4 * mib) == noise(3 * mib, 2)));
}

TEST_CASE_FIXTURE(fixture, "faults of the Hub do not show to the reader") {
  const auto content = noise(6 * mib);
  put_file("alice/m", "weights.bin", content);
  hub_fault dropping;
  dropping.where = hub_fault::listener::content;
  dropping.times = 7;
  dropping.drop_after_bytes = 200'000;
  hub->inject(dropping);
  hub_fault expiry;
  expiry.where = hub_fault::listener::content;
  expiry.skip = 3;
  expiry.status = 403;
  hub->inject(expiry);
  auto file = run(api->open_file("alice/m", "weights.bin"));
  CHECK((read(file, 7 * mib) == content));
  CHECK((read_at(file, mib, 2 * mib) == content.substr(mib, 2 * mib)));
}

TEST_CASE_FIXTURE(fixture, "what was downloaded is read from the cache") {
  const auto content = noise(mib);
  put_file("alice/m", "weights.bin", content);
  run(api->download_file("alice/m", "weights.bin"));
  hub->clear_requests();
  auto file = run(api->open_file("alice/m", "weights.bin"));
  CHECK(file.is_local());
  CHECK((read(file, 2 * mib) == content));
  const open_file_options at_commit{.revision = file.commit()};
  auto again = run(api->open_file("alice/m", "weights.bin", at_commit));
  CHECK((read_at(again, 10, mib) == content.substr(10)));
  CHECK(hub->requests().size() == 1);
}

TEST_CASE_FIXTURE(fixture, "a small file is read whole in two requests") {
  put_file("alice/m", "config.json", R"({"layers":12})");
  hub->clear_requests();
  CHECK(run(api->read_file("alice/m", "config.json")) == R"({"layers":12})");
  CHECK(hub->requests().size() == 2);
  hub_fault corrupting;
  corrupting.method = "GET";
  corrupting.corrupt_byte = 3;
  hub->inject(corrupting);
  CHECK(failure_of(api->read_file("alice/m", "config.json")).code() == errc::content_mismatch);
  CHECK(failure_of(api->read_file("alice/m", "absent.json")).code() == errc::entry_not_found);
  CHECK(failure_of(api->read_file("alice/absent", "x")).code() == errc::repository_not_found);
}
