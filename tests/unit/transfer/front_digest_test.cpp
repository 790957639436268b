#include "transfer/download/front_digest.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace cohub;
using transfer::front_digest;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::vector<std::byte> buffer(2 * front_digest::piece_size);
const std::span<std::byte> room(buffer);

constexpr auto in_time = std::chrono::steady_clock::time_point::max();
constexpr auto too_late = std::chrono::steady_clock::time_point::min();

}  // namespace

TEST_CASE("bytes at the front are taken, others are not") {
  front_digest digest(hub::etag_kind::sha256, 7);
  CHECK_FALSE(digest.feed(3, bytes("tent")));
  CHECK(digest.feed(0, bytes("con")));
  CHECK_FALSE(digest.feed(0, bytes("con")));
  CHECK(digest.feed(3, bytes("tent")));
  CHECK(digest.front() == 7);
  CHECK(digest.hex() == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73");
}

TEST_CASE("what was not at the front in time is read back from the file") {
  const io::temporary_directory folder;
  io::write_file_atomically(folder.path() / "f", "content");
  const io::file content(folder.path() / "f", io::file::mode::read);
  front_digest digest(hub::etag_kind::git_sha1, 7);
  digest.catch_up(content, 5, in_time, room);
  CHECK(digest.front() == 5);
  CHECK(digest.feed(5, bytes("nt")));
  CHECK(digest.hex() == "6b584e8ece562ebffc15d38808cd6b98fc3d97ea");
}

TEST_CASE("a thread is given back once its time is over, but not for nothing") {
  const io::temporary_directory folder;
  const std::string text(2 * front_digest::piece_size + 1, 'x');
  io::write_file_atomically(folder.path() / "f", text);
  const io::file content(folder.path() / "f", io::file::mode::read);
  front_digest digest(hub::etag_kind::sha256, text.size());
  digest.catch_up(content, text.size(), too_late, room);
  CHECK(digest.front() == front_digest::piece_size);
  digest.catch_up(content, text.size(), in_time, room);
  CHECK(digest.front() == text.size());
}

TEST_CASE("a file that became shorter is a mismatch") {
  const io::temporary_directory folder;
  io::write_file_atomically(folder.path() / "f", "con");
  const io::file content(folder.path() / "f", io::file::mode::read);
  front_digest digest(hub::etag_kind::sha256, 7);
  CHECK_THROWS_AS(digest.catch_up(content, 7, in_time, room), error);
}

TEST_CASE("starting over gives the digest of what comes then") {
  front_digest digest(hub::etag_kind::sha256, 7);
  digest.feed(0, bytes("wrong"));
  digest.restart();
  CHECK(digest.feed(0, bytes("content")));
  CHECK(digest.hex() == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73");
}

TEST_CASE("an opaque etag is no checksum") {
  front_digest digest(hub::etag_kind::opaque, 7);
  CHECK_FALSE(digest.active());
  CHECK_FALSE(digest.feed(0, bytes("content")));
}
