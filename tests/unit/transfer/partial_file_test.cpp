#include "transfer/download/partial_file.hpp"

#include "cohub/error.hpp"

#include "transfer/download/partial_journal.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

using namespace cohub;
using transfer::partial_file;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t mib = 1u << 20;

std::vector<std::byte> block(std::size_t size, char fill) {
  return std::vector<std::byte>(size, std::byte(fill));
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

struct fixture {
  io::temporary_directory folder;
  fs::path stem = folder.path() / "etag";
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a partial that was closed is continued where it stopped") {
  {
    partial_file partial(stem, 100, "etag");
    CHECK(partial.done().empty());
    partial.write(0, block(10, 'a'));
    partial.write(50, block(50, 'b'));
    CHECK(partial.front() == 10);
  }
  partial_file again(stem, 100, "etag");
  CHECK(again.done().count() == 60);
  again.write(10, block(40, 'c'));
  CHECK(again.front() == 100);
  again.publish(folder.path() / "etag");
  CHECK_FALSE(again.content().is_open());
  CHECK(io::read_file(folder.path() / "etag", 1000) ==
        std::string(10, 'a') + std::string(40, 'c') + std::string(50, 'b'));
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE_FIXTURE(fixture, "bytes that are there are not written over") {
  partial_file partial(stem, 100, "etag");
  CHECK(partial.write(20, block(20, 'a')));
  CHECK_FALSE(partial.write(20, block(20, 'b')));
  CHECK_FALSE(partial.write(10, block(40, 'c')));
  CHECK(partial.write(50, block(50, 'd')));
  CHECK(partial.done().count() == 90);
  CHECK_FALSE(partial.write(0, block(100, 'e')));
  CHECK(partial.front() == 100);
  partial.publish(folder.path() / "etag");
  CHECK(io::read_file(folder.path() / "etag", 1000) ==
        std::string(10, 'e') + std::string(10, 'c') + std::string(20, 'a') + std::string(10, 'c') +
            std::string(50, 'd'));
}

TEST_CASE_FIXTURE(fixture, "a journal is replaced by a whole one, never cut") {
  const auto journal = folder.path() / "etag.cohub.journal";
  const auto old = folder.path() / "old";
  { partial_file(stem, 100, "etag").write(0, block(10, 'a')); }
  fs::create_hard_link(journal, old);
  const auto text = io::read_file(old, 1000);
  {
    partial_file again(stem, 100, "etag");
    CHECK(io::read_file(old, 1000) == text);
    again.write(50, block(10, 'b'));
    again.save();
    fs::remove(old);
    fs::create_hard_link(journal, old);
    const auto both = io::read_file(old, 1000);
    SUBCASE("begun anew") { again.restart(); }
    SUBCASE("cut to its front") { CHECK(again.forget_beyond_front() == 10); }
    CHECK(io::read_file(old, 1000) == both);
    CHECK(io::read_file(journal, 1000) != both);
  }
  CHECK(entries(folder.path()) == 3);
}

TEST_CASE_FIXTURE(fixture, "what the journal says after kill -9 is on disk") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    partial_file partial(stem, 64 * mib, "etag");
    for (std::uint64_t i = 0; i < 9; ++i) partial.write(i * mib, block(mib, char('a' + i)));
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  partial_file again(stem, 64 * mib, "etag");
  const auto front = again.front();
  CHECK(front >= 8 * mib);  // at most one interval of the journal is lost
  CHECK(front <= 9 * mib);
  for (std::uint64_t i = 0; i < front / mib; ++i) {
    auto seen = block(mib, '?');
    again.content().read_at(i * mib, seen);
    CHECK(seen == block(mib, char('a' + i)));
  }
}

TEST_CASE_FIXTURE(fixture, "a slow download is in the journal before much of it has come") {
  const auto noted = [this] {
    const auto text = io::read_file(folder.path() / "etag.cohub.journal", mib);
    return transfer::decode_partial_journal(text)->done.count();
  };
  partial_file seldom(folder.path() / "etag", 100, "etag", std::chrono::hours(1));
  seldom.write(0, block(10, 'a'));
  CHECK(noted() == 0);
  seldom.discard();
  partial_file often(folder.path() / "etag", 100, "etag", std::chrono::seconds(0));
  often.write(0, block(10, 'a'));
  CHECK(noted() == 10);
}

TEST_CASE_FIXTURE(fixture, "a partial of another size or etag is not believed") {
  { partial_file(stem, 100, "etag").write(0, block(10, 'a')); }
  { CHECK(partial_file(stem, 101, "etag").done().empty()); }
  { partial_file(stem, 100, "etag").write(0, block(10, 'a')); }
  { CHECK(partial_file(stem, 100, "other").done().empty()); }
}

TEST_CASE_FIXTURE(fixture, "a journal without its partial is not believed") {
  { partial_file(stem, 100, "etag").write(0, block(10, 'a')); }
  fs::remove(fs::path(stem) += ".cohub.partial");
  CHECK(partial_file(stem, 100, "etag").done().empty());
}

TEST_CASE_FIXTURE(fixture, "a second writer gets a file of its own, which does not stay") {
  partial_file first(stem, 100, "etag");
  first.write(0, block(100, 'a'));
  {
    partial_file second(stem, 100, "etag");
    CHECK(second.path() != first.path());
    CHECK(second.done().empty());
    second.write(0, block(10, 'b'));
  }
  CHECK(entries(folder.path()) == 2);
  partial_file third(stem, 100, "etag");
  third.write(0, block(100, 'c'));
  first.publish(folder.path() / "blob");
  CHECK(io::read_file(folder.path() / "blob", 1000) == std::string(100, 'a'));
  third.publish(folder.path() / "blob");
  CHECK(io::read_file(folder.path() / "blob", 1000) == std::string(100, 'c'));
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE_FIXTURE(fixture, "what another process has put in its place meanwhile is done") {
  const auto destination = folder.path() / "done";
  partial_file content(stem, 3, "etag");
  content.write(0, block(3, 'a'));
  fs::rename(content.path(), destination);
  content.publish(destination);
  CHECK(io::read_file(destination, 10) == "aaa");
}

TEST_CASE_FIXTURE(fixture, "starting over forgets, and discarding removes") {
  {
    partial_file partial(stem, 100, "etag");
    partial.write(0, block(10, 'a'));
    partial.restart();
    CHECK(partial.done().empty());
  }
  {
    partial_file partial(stem, 100, "etag");
    CHECK(partial.done().empty());
    partial.discard();
  }
  CHECK(entries(folder.path()) == 0);
}

TEST_CASE_FIXTURE(fixture, "too little room is told before the first byte, with both numbers") {
  const std::uint64_t absurd = 1ull << 62;
  try {
    partial_file partial(stem, absurd, "etag");
    FAIL("nothing was thrown");
  } catch (const error& e) {
    CHECK(e.code() == boost::system::errc::no_space_on_device);
    CHECK(std::string(e.what()).find(std::to_string(absurd) + " bytes are needed") !=
          std::string::npos);
  }
  CHECK(entries(folder.path()) == 0);
}

TEST_CASE_FIXTURE(fixture, "others' incomplete files are left alone") {
  io::write_file_atomically(folder.path() / "etag.incomplete", "theirs");
  io::write_file_atomically(folder.path() / "etag.1a2b3c4d.incomplete", "theirs");
  {
    partial_file partial(stem, 10, "etag");
    partial.write(0, block(10, 'a'));
    partial.publish(stem);
  }
  CHECK(io::read_file(folder.path() / "etag.incomplete", 10) == "theirs");
  CHECK(io::read_file(folder.path() / "etag.1a2b3c4d.incomplete", 10) == "theirs");
}

TEST_CASE_FIXTURE(fixture,
                  "after another run of the machine only what a checksum checks is believed") {
  const std::string sha256(64, 'a');
  const auto journal = fs::path(stem) += ".cohub.journal";
  for (const std::string& etag : {std::string("opaque-12"), sha256}) {
    CAPTURE(etag);
    for (const bool is_known : {true, false}) {
      { partial_file(stem, 100, etag).write(0, block(10, 'a')); }
      { CHECK(partial_file(stem, 100, etag).done().count() == 10); }
      auto text = io::read_file(journal, 10'000);
      const auto begin = text.find("boot ");
      REQUIRE(begin != text.npos);
      const auto end = text.find('\n', begin) + 1;
      text.replace(begin, end - begin, is_known ? "boot of-yesterday\n" : "");
      io::write_file_atomically(journal, text);
      partial_file again(stem, 100, etag);
      CHECK(again.done().count() == (etag == sha256 ? 10 : 0));
      again.discard();
    }
  }
}

TEST_CASE_FIXTURE(fixture, "what lies beyond the first gap can be forgotten, for good") {
  {
    partial_file partial(stem, 100, "etag");
    partial.write(0, block(10, 'a'));
    partial.write(20, block(30, 'b'));
    CHECK(partial.forget_beyond_front() == 30);
    CHECK(partial.done().count() == 10);
    CHECK(partial.forget_beyond_front() == 0);
  }
  CHECK(partial_file(stem, 100, "etag").done().count() == 10);
}
