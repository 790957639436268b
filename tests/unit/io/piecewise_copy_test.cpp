#include "io/piecewise_copy.hpp"

#include "cohub/error.hpp"

#include "io/file.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

using namespace cohub;

TEST_CASE("a copy is made piece by piece, and seen once it is whole") {
  const test::temporary_folder folder;
  const std::string content(1'000'003, 'x');
  test::write_all(folder.path() / "from", content);
  {
    io::piecewise_copy copy(folder.path() / "from", folder.path() / "part");
    std::size_t steps = 0;
    while (copy.step(300'000)) ++steps;
    CHECK(steps >= 3);
    CHECK_FALSE(std::filesystem::exists(folder.path() / "to"));
    copy.publish(folder.path() / "to");
  }
  CHECK((test::read_all(folder.path() / "to") == content));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "part"));
}

TEST_CASE("what the system cannot copy from one file system to another is read and written") {
  const test::temporary_folder folder;
  io::piecewise_copy copy("/proc/version", folder.path() / "part");
  while (copy.step(1'000'000)) {
  }
  copy.publish(folder.path() / "to");
  const auto copied = test::read_all(folder.path() / "to");
  CHECK(copied == io::read_file("/proc/version", 100'000));
  CHECK(copied.starts_with("Linux"));
}

TEST_CASE("what is not whole gets no place, and goes with the object") {
  const test::temporary_folder folder;
  test::write_all(folder.path() / "from", std::string(100'000, 'x'));
  {
    io::piecewise_copy copy(folder.path() / "from", folder.path() / "part");
    CHECK(copy.step(1000));
    CHECK_THROWS_AS(copy.publish(folder.path() / "to"), error);
  }
  CHECK_FALSE(std::filesystem::exists(folder.path() / "to"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "part"));
}
