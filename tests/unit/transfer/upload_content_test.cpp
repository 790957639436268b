#include "transfer/upload/upload_content.hpp"

#include "cohub/error.hpp"

#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

using namespace cohub;

namespace {

struct file_fixture {
  test::temporary_folder folder;
  std::filesystem::path path = folder.path() / "file";
  std::array<std::byte, 4> piece{};

  file_fixture() { test::write_all(path, "12345678"); }

  /// Other bytes of the same size; another time, whatever the clock's step.
  void rewrite() {
    test::write_all(path, "abcdefgh");
    std::filesystem::last_write_time(
        path, std::filesystem::file_time_type::clock::now() + std::chrono::seconds(10));
  }

  void replace(const std::string& content) {
    test::write_all(folder.path() / "next", content);
    std::filesystem::rename(folder.path() / "next", path);
  }

  transfer::upload_content_ptr first_bytes(std::uint64_t count) {
    commit_operation_add operation;
    operation.content = path;
    operation.first_bytes = count;
    return transfer::open_content(operation);
  }
};

}  // namespace

TEST_CASE_FIXTURE(file_fixture, "a file that stays is read as it is") {
  const auto content = transfer::open_file_content(path);
  const auto reader = content->open();
  CHECK(reader->read_at(0, piece) == 4);
  CHECK(reader->read_at(4, piece) == 4);
  CHECK(std::string(reinterpret_cast<const char*>(piece.data()), 4) == "5678");
  CHECK(reader->read_at(8, piece) == 0);
}

TEST_CASE_FIXTURE(file_fixture, "a file that changes before it is read, or half-way, is refused") {
  const auto content = transfer::open_file_content(path);
  const auto reader = content->open();
  CHECK(reader->read_at(0, piece) == 4);
  rewrite();
  CHECK_THROWS_WITH_AS(reader->read_at(4, piece), doctest::Contains("changed meanwhile"), error);
  const auto late = content->open();
  CHECK_THROWS_WITH_AS(late->read_at(0, piece), doctest::Contains("changed meanwhile"), error);
  CHECK_THROWS_WITH_AS(content->check_unchanged(), doctest::Contains("changed meanwhile"), error);
}

TEST_CASE_FIXTURE(file_fixture, "the beginning of a file that grows is read as it was") {
  const auto content = first_bytes(4);
  const auto reader = content->open();
  CHECK(content->check_unchanged());
  test::write_all(path, "12345678 and more");
  CHECK(reader->read_at(0, piece) == 4);
  CHECK(content->open()->read_at(0, piece) == 4);
  CHECK_FALSE(content->check_unchanged());  // it might have other bytes, too
  CHECK(content->now() == content);
}

TEST_CASE_FIXTURE(file_fixture, "the beginning of a file that another takes the place of is lost") {
  const auto content = first_bytes(8);
  const auto reader = content->open();
  SUBCASE("of the same size") { replace("abcdefgh"); }
  SUBCASE("a longer one") { replace("abcdefghijkl"); }
  SUBCASE("in place") { rewrite(); }
  SUBCASE("shorter") { test::write_all(path, "1234567"); }
  CHECK_THROWS_AS(content->open()->read_at(0, piece), error);
  CHECK_THROWS_AS(content->check_unchanged(), error);
  // Of a small one, the other is taken whole.
  const auto now = content->now();
  std::vector<std::byte> room(20);
  CHECK(now->size() == std::filesystem::file_size(path));
  CHECK(now->open()->read_at(0, room) == now->size());
}

TEST_CASE_FIXTURE(file_fixture, "what is there now may be replaced by as much") {
  const auto now = transfer::open_file_content(path)->now();
  const auto begun = now->open();
  replace("abcdefgh");
  CHECK(begun->read_at(0, piece) == 4);  // of the old one, which is whole
  CHECK(now->open()->read_at(0, piece) == 4);
  CHECK(std::string(reinterpret_cast<const char*>(piece.data()), 4) == "abcd");
  replace("abcdefghi");
  CHECK_THROWS_WITH_AS(now->open(), doctest::Contains("changed meanwhile"), error);
}

TEST_CASE_FIXTURE(file_fixture, "what is there now is read, without what is appended later") {
  const auto content = transfer::open_file_content(path);
  test::write_all(path, "0123456789");
  const auto now = content->now();
  CHECK(now->size() == 10);
  test::write_all(path, "0123456789ab");
  std::vector<std::byte> room(20);
  CHECK(now->open()->read_at(0, room) == 10);
  test::write_all(path, "0");
  CHECK_THROWS_AS(now->open()->read_at(0, room), error);
  std::filesystem::remove(path);
  CHECK_THROWS_AS(content->now(), error);
}

TEST_CASE_FIXTURE(file_fixture, "permissions and further names are no change of the content") {
  const auto content = transfer::open_file_content(path);
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  std::filesystem::create_hard_link(path, path.string() + ".more");
  CHECK(content->open()->read_at(0, piece) == 4);
  content->check_unchanged();
}
