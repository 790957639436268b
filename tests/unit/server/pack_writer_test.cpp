#include "server/git/pack_writer.hpp"

#include "git_output.hpp"
#include "server/git/git_repository.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using cohub::server::git_change;
using cohub::server::pack_writer;
using cohub::test::git;

namespace {

struct bare_repository {
  bare_repository() { cohub::server::create_git_repository(path, "alice"); }

  fs::path packs() const { return path / "objects" / "pack"; }
  std::size_t files_in_packs() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(packs()), fs::directory_iterator()));
  }
  cohub::io::temporary_directory folder{};
  fs::path path = folder.path() / "r.git";
};

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string bytes(size, '\0');
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
  return bytes;
}

}  // namespace

TEST_CASE("git reads back what a pack was given, whatever its size") {
  bare_repository repository;
  const std::vector<std::string> contents{"",
                                          "content",
                                          "Hello, World!",
                                          std::string(15, 'a'),
                                          std::string(16, 'b'),
                                          std::string(2047, 'c'),
                                          std::string(2048, 'd'),
                                          noise(3'000'001),
                                          std::string(5'000'000, 'e')};
  std::vector<std::string> ids;
  {
    pack_writer pack(repository.packs());
    for (const auto& content : contents)
      ids.push_back(cohub::server::to_hex(pack.add(GIT_OBJECT_BLOB, content)));
    CHECK(cohub::server::to_hex(pack.add(GIT_OBJECT_BLOB, "content")) == ids[1]);
    CHECK(git(repository.path, "cat-file -e " + ids[1]).status != 0);  // not to be seen yet
    pack.finish();
  }
  CHECK(ids[0] == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  CHECK(ids[1] == "6b584e8ece562ebffc15d38808cd6b98fc3d97ea");
  CHECK(repository.files_in_packs() == 2);
  CHECK(git(repository.path, "verify-pack '" + repository.packs().string() + "'/*.idx").status ==
        0);
  CHECK(git(repository.path, "fsck --full --strict").status == 0);
  const cohub::server::git_repository opened(repository.path);
  for (std::size_t i = 0; i < contents.size(); ++i) {
    CHECK(opened.read_blob(ids[i]).bytes == contents[i]);
    CHECK(git(repository.path, "cat-file -s " + ids[i]).text == std::to_string(contents[i].size()));
  }
}

TEST_CASE("a pack that is given up leaves nothing") {
  bare_repository repository;
  {
    pack_writer pack(repository.packs());
    pack.add(GIT_OBJECT_BLOB, noise(2'000'000));
    CHECK(repository.files_in_packs() == 1);
  }
  CHECK(repository.files_in_packs() == 0);
}

TEST_CASE("many objects of a commit share one pack, few stay apart") {
  bare_repository bare;
  cohub::server::git_repository repository(bare.path);
  const auto commit = [&](int count) {
    std::vector<git_change> changes;
    for (int i = 0; i < count; ++i) {
      git_change change;
      change.path =
          "d" + std::to_string(count) + "/" + std::to_string(i % 7) + '/' + std::to_string(i);
      change.blob =
          repository.write_blob("file " + std::to_string(i) + " of " + std::to_string(count));
      changes.push_back(change);
    }
    const auto head = repository.resolve("main").value();
    const auto made = repository.write_commit(head, changes, "m", "alice");
    repository.set_ref("refs/heads/main", made, bare.folder.path());
  };
  commit(3);
  CHECK(bare.files_in_packs() == 0);
  commit(500);
  CHECK(bare.files_in_packs() == 2);
  commit(4);  // on top of what is packed
  CHECK(bare.files_in_packs() == 2);
  CHECK(git(bare.path, "fsck --full --strict").status == 0);
  CHECK(git(bare.path, "ls-tree -r main | wc -l").text == "508");
  CHECK(git(bare.path, "cat-file -p main:d500/2/499").text == "file 499 of 500");
}
