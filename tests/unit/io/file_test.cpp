#include "io/file.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <set>

namespace io = cohub::io;
using mode = io::file::mode;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::size_t entries(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder),
                                                std::filesystem::directory_iterator()));
}

template <class Work>
cohub::error caught(Work work) {
  try {
    work();
  } catch (const cohub::error& e) {
    return e;
  }
  FAIL("nothing was thrown");
  return cohub::error(cohub::errc::invalid_argument, "");
}

/// Sets the umask as long as it lives.
struct with_umask {
  explicit with_umask(mode_t mask) : before(::umask(mask)) {}
  ~with_umask() { ::umask(before); }
  mode_t before;
};

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

}  // namespace

TEST_CASE("writes land where they are told to and are read back from there") {
  const io::temporary_directory folder;
  io::file written(folder.path() / "f", mode::read_write);
  written.write_at(4, bytes("efgh"));
  written.write_at(0, bytes("abcd"));
  CHECK(written.size() == 8);
  std::array<char, 16> read{};
  CHECK(written.read_at(2, std::as_writable_bytes(std::span(read))) == 6);
  CHECK(std::string_view(read.data(), 6) == "cdefgh");
  written.truncate(3);
  written.sync();
  written.close();
  CHECK_FALSE(written.is_open());
  CHECK(io::read_file(folder.path() / "f", 3) == "abc");
}

TEST_CASE("a moved file keeps its descriptor, and the one moved from is closed") {
  const io::temporary_directory folder;
  io::file first(folder.path() / "f", mode::write_new);
  const int descriptor = first.native_handle();
  io::file second(std::move(first));
  CHECK_FALSE(first.is_open());
  CHECK(second.native_handle() == descriptor);
  CHECK((::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
  second = io::file();
  CHECK(::fcntl(descriptor, F_GETFD) == -1);
}

TEST_CASE("each mode refuses what it is not for") {
  const io::temporary_directory folder;
  const auto path = folder.path() / "f";
  CHECK(caught([&] { io::file(path, mode::read); }).code() ==
        boost::system::errc::no_such_file_or_directory);
  io::write_file_atomically(path, "content");
  CHECK(caught([&] { io::file(path, mode::write_new); }).code() ==
        boost::system::errc::file_exists);
  CHECK(io::file(path, mode::read_write).size() == 7);
  std::filesystem::create_symlink("f", folder.path() / "link");
  CHECK(caught([&] { io::file(folder.path() / "link", mode::read_write); }).code() ==
        boost::system::errc::too_many_symbolic_link_levels);
  CHECK(caught([&] { io::file(path, mode::write_new_private); }).code() ==
        boost::system::errc::file_exists);
}

TEST_CASE("an error names the path and what was being done") {
  const auto failure = caught([] { io::file("/nonexistent-folder/f", mode::read); });
  CHECK(std::string(failure.what()).find("opening /nonexistent-folder/f") != std::string::npos);
  CHECK(failure.code().category() == boost::system::system_category());
}

TEST_CASE("a file over the limit is not read") {
  const io::temporary_directory folder;
  io::write_file_atomically(folder.path() / "f", std::string(100, 'x'));
  CHECK(io::read_file(folder.path() / "f", 100).size() == 100);
  CHECK(caught([&] { io::read_file(folder.path() / "f", 99); }).code() ==
        boost::system::errc::file_too_large);
}

TEST_CASE("an atomic write replaces, leaves no temporary, and follows the umask") {
  const io::temporary_directory folder;
  const auto path = folder.path() / "f";
  {
    const with_umask mask(022);
    io::write_file_atomically(path, "old");
    CHECK(mode_of(path) == 0644);
  }
  const io::file reader(path, mode::read);
  io::write_file_atomically(path, "new", io::durability::machine);
  CHECK(io::read_file(path, 10) == "new");
  std::array<std::byte, 3> seen{};
  reader.read_at(0, seen);
  CHECK(std::string_view(reinterpret_cast<const char*>(seen.data()), 3) == "old");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a secret is its owner's alone from the first byte, whatever the umask") {
  const io::temporary_directory folder;
  const with_umask mask(0);
  const auto path = folder.path() / "f";
  io::write_file_atomically(path, "secret", io::durability::machine, {}, mode::write_new_private);
  CHECK(mode_of(path) == 0600);
  CHECK(io::read_file(path, 10) == "secret");
}

TEST_CASE(
    "the temporary of an atomic write lies where it is told to, and goes when the write fails") {
  const io::temporary_directory folder;
  io::create_directories(folder.path() / "target");
  io::create_directories(folder.path() / "temporary");
  io::create_directories(folder.path() / "target/taken/by/a/folder");
  caught([&] {
    io::write_file_atomically(folder.path() / "target/taken", "x", io::durability::process,
                              folder.path() / "temporary");
  });
  CHECK(entries(folder.path() / "temporary") == 0);
  CHECK(entries(folder.path() / "target") == 1);
}

TEST_CASE("a file without a name gets one with all of its content, or goes without a trace") {
  const io::temporary_directory folder;
  const auto path = folder.path() / "f";
  {
    const with_umask mask(0);
    auto made = io::file::make_unnamed(folder.path(), mode::write_new_private);
    if (!made) return;  // the file system has no such files
    made->write_at(0, std::as_bytes(std::span("content", 7)));
    CHECK(entries(folder.path()) == 0);
    REQUIRE(made->link_as(path));
    CHECK(made->path() == path);
    CHECK(mode_of(path) == 0600);
    CHECK(io::read_file(path, 10) == "content");
  }
  auto second = io::file::make_unnamed(folder.path(), mode::write_new);
  REQUIRE(second.has_value());
  CHECK_FALSE(second->link_as(path));  // never replaces
  second.reset();
  CHECK(entries(folder.path()) == 1);
  CHECK_FALSE(io::file::make_unnamed(path, mode::write_new).has_value());
}

TEST_CASE("a folder whose parent is a file is an error that names it") {
  const io::temporary_directory folder;
  io::write_file_atomically(folder.path() / "f", "");
  const auto failure = caught([&] { io::create_directories(folder.path() / "f/below"); });
  CHECK(failure.code() == boost::system::errc::not_a_directory);
  CHECK(std::string(failure.what()).find("f/below") != std::string::npos);
}

TEST_CASE("random suffixes differ and are eight hex digits") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(io::random_suffix());
  CHECK(seen.size() > 95);
  for (const auto& suffix : seen) {
    CHECK(suffix.size() == 8);
    CHECK(suffix.find_first_not_of("0123456789abcdef") == std::string::npos);
  }
}

TEST_CASE("a temporary folder is private and goes with all that is in it") {
  std::filesystem::path path;
  {
    const io::temporary_directory folder;
    path = folder.path();
    CHECK(mode_of(path) == 0700);
    io::create_directories(path / "a/b");
  }
  CHECK_FALSE(std::filesystem::exists(path));
}
