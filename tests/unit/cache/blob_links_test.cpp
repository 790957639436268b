#include "cache/blob_links.hpp"

#include "cache/leftover.hpp"
#include "cache_builder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace cohub;
namespace fs = std::filesystem;

using fixture = test::cache_builder;

TEST_CASE_FIXTURE(fixture, "all that snapshots lead to is in use, whenever it is asked for") {
  put_two_revisions();
  cache::blob_links links(repo);
  for (int i = 0; i < 2; ++i) {
    const auto* const linked = links.current();
    REQUIRE(linked != nullptr);
    CHECK(linked->size() == 3);
    CHECK(linked->contains(repo / "blobs/e-old"));
  }
  fs::create_directories(repo / "snapshots" / sha('c') / "empty");
  CHECK(links.current()->size() == 3);
  put(repo, sha('c'), "empty/later.txt", "e-later", "1");
  CHECK(links.current()->contains(repo / "blobs/e-later"));
  fs::remove_all(repo / "snapshots" / sha('a'));
  CHECK_FALSE(links.current()->contains(repo / "blobs/e-old"));
}

TEST_CASE_FIXTURE(fixture, "a snapshot that cannot be read through may use any blob") {
  put_two_revisions();
  cache::blob_links links(repo);
  CHECK(links.current() != nullptr);
  fs::create_directory_symlink("/", repo / "snapshots" / sha('b') / "anywhere");
  CHECK(links.current() == nullptr);
  fs::remove(repo / "snapshots" / sha('b') / "anywhere");
  CHECK(links.current() != nullptr);
  fs::remove_all(repo / "snapshots");
  REQUIRE(links.current() != nullptr);
  CHECK(links.current()->empty());
}

TEST_CASE_FIXTURE(fixture, "what has not changed is not read again, what has changed is") {
  put_two_revisions();
  cache::blob_links links(repo, std::chrono::milliseconds(0));
  const auto snapshot = repo / "snapshots" / sha('b');
  const auto changed_at = [&] {
    struct stat status {};
    REQUIRE(::lstat(snapshot.c_str(), &status) == 0);
    return cache::time_of(status.st_ctim);
  };
  const auto before = changed_at();
  REQUIRE(links.current() != nullptr);
  fs::remove(repo / "blobs/e-new");  // no folder of a snapshot changes
  CHECK(links.current()->contains(repo / "blobs/e-new"));
  do {
    fs::create_symlink("nothing", snapshot / "x");
    fs::remove(snapshot / "x");
  } while (changed_at() == before);
  CHECK_FALSE(links.current()->contains(repo / "blobs/e-new"));
}
