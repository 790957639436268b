#include "io/file_identity.hpp"

#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

using namespace cohub;

TEST_CASE("a file has one name, however its path is spelt") {
  test::temporary_folder folder;
  const auto path = folder.path() / "sub" / "file";
  test::write_all(path, "content");
  const auto named = io::identify_file(path);
  CHECK(named.path == path.string());
  for (const char* spelt : {"sub/./file", "./sub//file", "sub/../sub/file"})
    CHECK(io::identify_file(folder.path() / spelt) == named);
  // What follows a link is not what precedes it.
  std::filesystem::create_directories(folder.path() / "other" / "deep");
  test::write_all(folder.path() / "other" / "file", "another");
  std::filesystem::create_directory_symlink(folder.path() / "other" / "deep",
                                            folder.path() / "link");
  CHECK(io::identify_file(folder.path() / "link" / ".." / "file").path ==
        (folder.path() / "other" / "file").string());
}
