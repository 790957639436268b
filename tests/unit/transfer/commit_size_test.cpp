#include "transfer/folder/commit_size.hpp"

#include <doctest/doctest.h>

using cohub::transfer::commit_size;

TEST_CASE("commits grow while they are fast and full, and shrink when they are slow or fail") {
  commit_size size;
  CHECK(size.files() == 250);
  size.made(250, std::chrono::seconds(1));
  CHECK(size.files() == 400);
  size.made(10, std::chrono::seconds(1));  // says nothing about 400
  CHECK(size.files() == 400);
  size.made(400, std::chrono::seconds(41));
  CHECK(size.files() == 250);
  while (size.files() > 20) CHECK(size.failed(size.files()));
  CHECK_FALSE(size.failed(20));
  CHECK(size.failed(250));  // prepared when more were hoped for
  for (int i = 0; i < 20; ++i) size.made(size.files(), std::chrono::seconds(1));
  CHECK(size.files() == 1000);
}
