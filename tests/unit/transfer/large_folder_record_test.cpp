#include "transfer/folder/large_folder_record.hpp"

#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using namespace cohub::transfer;

namespace {

io::file_identity file_named(std::string path) {
  io::file_identity file;
  file.path = std::move(path);
  file.size = 5;
  file.modified = 7;
  file.changed = 8;
  file.inode = 9;
  return file;
}

const branch_state there{"repo", "head1"};

}  // namespace

TEST_CASE("a record survives, and a changed file is not in it") {
  test::temporary_folder folder;
  {
    large_folder_record record(folder.path(), "key", there);
    record.add({file_named("/a b"), file_named("/c")}, there);
    record.add({file_named("/line\nbreak")}, there);
  }
  const large_folder_record again(folder.path(), "key", there);
  CHECK(again.holds(file_named("/a b")));
  CHECK(again.holds(file_named("/c")));
  CHECK_FALSE(again.holds(file_named("/line\nbreak")));
  CHECK_FALSE(again.holds(file_named("/d")));
  auto changed = file_named("/c");
  changed.modified = 100;
  CHECK_FALSE(again.holds(changed));
  CHECK_FALSE(large_folder_record(folder.path(), "another", there).holds(file_named("/c")));
}

TEST_CASE("a line that a crash has cut off is written over") {
  test::temporary_folder folder;
  {
    large_folder_record record(folder.path(), "key", there);
    record.add({file_named("/a")}, there);
    record.add({file_named("/b")}, there);
  }
  const auto path = std::filesystem::directory_iterator(folder.path() / "folders")->path();
  std::filesystem::resize_file(
      path, std::filesystem::file_size(path) - std::string("at repo head1\n").size() - 2);
  {
    large_folder_record record(folder.path(), "key", there);
    CHECK(record.holds(file_named("/a")));
    CHECK_FALSE(record.holds(file_named("/b")));
    record.add({file_named("/c")}, there);
  }
  const large_folder_record again(folder.path(), "key", there);
  CHECK(again.holds(file_named("/a")));
  CHECK(again.holds(file_named("/c")));
}

TEST_CASE("a record is forgotten for good where the branch is not where it was left") {
  test::temporary_folder folder;
  const branch_state next{"repo", "head2"};
  large_folder_record(folder.path(), "key", there).add({file_named("/a")}, next);
  CHECK(large_folder_record(folder.path(), "key", next).holds(file_named("/a")));
  SUBCASE("others have moved it") {
    const branch_state moved{"repo", "head3"};
    {
      large_folder_record record(folder.path(), "key", moved);
      CHECK_FALSE(record.holds(file_named("/a")));
      record.add({file_named("/b")}, moved);
    }
    const large_folder_record again(folder.path(), "key", moved);
    CHECK_FALSE(again.holds(file_named("/a")));
    CHECK(again.holds(file_named("/b")));
  }
  SUBCASE("the repository is another of the same name") {
    const branch_state other{"other", "head2"};
    CHECK_FALSE(large_folder_record(folder.path(), "key", other).holds(file_named("/a")));
  }
  SUBCASE("nobody knows where it was") {
    large_folder_record(folder.path(), "key", next).add({file_named("/b")}, {"repo", ""});
    CHECK_FALSE(large_folder_record(folder.path(), "key", next).holds(file_named("/b")));
  }
}

TEST_CASE("lines of another shape are nothing") {
  CHECK(decode_done_file("5 7 8 9 /a b") == file_named("/a b"));
  for (const char* line : {"", "5", "5 7 8 9", "5 7 x 9 /a", "-5 7 8 9 /a"})
    CHECK_FALSE(decode_done_file(line));
}
