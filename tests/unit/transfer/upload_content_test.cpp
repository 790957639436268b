#include "transfer/upload_content.hpp"

#include "cohub/error.hpp"

#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <string>

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
  commit_operation_add operation;
  operation.content = path;
  operation.first_bytes = 4;
  const auto reader = transfer::open_content(operation)->open();
  rewrite();
  CHECK(reader->read_at(0, piece) == 4);
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
