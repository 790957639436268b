#include "cache/repo_cache.hpp"

#include "cohub/error.hpp"

#include "io/file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

const std::string sha(40, 'a');
const std::string other_sha(40, 'b');

struct fixture {
  io::temporary_directory folder;
  cache::repo_layout layout{folder.path(), repo_type::model, "ns/name"};
  cache::repo_cache cached{layout};

  void put_blob(const std::string& etag, const std::string& content) {
    io::create_directories(layout.blobs());
    io::write_file_atomically(layout.blob(etag), content);
  }
  std::set<std::string> files_below(const fs::path& path) {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (!entry.is_directory()) names.insert(entry.path().lexically_relative(path).string());
    return names;
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "preparing makes the folders and marks the cache") {
  cached.prepare();
  CHECK(fs::is_directory(layout.blobs()));
  CHECK(fs::is_directory(layout.lock("e").parent_path()));
  const auto tag = io::read_file(folder.path() / "CACHEDIR.TAG", 1000);
  CHECK(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55\n"));
  CHECK(std::count(tag.begin(), tag.end(), '\n') == 4);
}

TEST_CASE_FIXTURE(fixture, "a ref is 40 digits without a newline, and is read back") {
  cached.write_ref("refs/pr/1", sha);
  CHECK(io::read_file(layout.folder() / "refs/refs/pr/1", 100) == sha);
  CHECK(cached.read_ref("refs/pr/1") == sha);
  cached.write_ref("refs/pr/1", other_sha);
  CHECK(cached.resolve("refs/pr/1") == other_sha);
  CHECK(cached.resolve(sha) == sha);
  CHECK(files_below(layout.refs()) == std::set<std::string>{"refs/pr/1"});
}

TEST_CASE_FIXTURE(fixture, "a ref that says the same is not written again") {
  cached.write_ref("main", sha);
  fs::last_write_time(layout.ref("main"), fs::file_time_type{});
  cached.write_ref("main", sha);
  CHECK(fs::last_write_time(layout.ref("main")) == fs::file_time_type{});
}

TEST_CASE_FIXTURE(fixture, "a commit gets no ref of its own name") {
  cached.write_ref(sha, sha);
  CHECK_FALSE(fs::exists(layout.refs()));
}

TEST_CASE_FIXTURE(fixture, "a damaged ref counts as none") {
  io::create_directories(layout.refs());
  for (const std::string& text : {std::string(), sha + "\n", std::string("main"),
                                  std::string(10'000, 'a'), std::string(40, 'A')}) {
    io::write_file_atomically(layout.ref("main"), text);
    CHECK_FALSE(cached.read_ref("main").has_value());
  }
}

TEST_CASE_FIXTURE(fixture, "a linked blob is found in the snapshot, by a relative link") {
  put_blob("e1", "content");
  const auto pointer = cached.link_blob(sha, "a/b/c.bin", "e1", cache::blob_age::fresh);
  CHECK(pointer == layout.snapshot(sha) / "a/b/c.bin");
  CHECK(fs::read_symlink(pointer) == "../../../../blobs/e1");
  CHECK(io::read_file(pointer, 100) == "content");
  CHECK(cached.find_file(sha, "a/b/c.bin") == pointer);
  CHECK(cached.link_blob(sha, "a/b/c.bin", "e1", cache::blob_age::existing) == pointer);
  CHECK(files_below(layout.snapshots()).size() == 1);
}

TEST_CASE_FIXTURE(fixture, "a link to another blob is replaced") {
  put_blob("e1", "old");
  put_blob("e2", "new");
  cached.link_blob(sha, "f", "e1", cache::blob_age::fresh);
  const auto pointer = cached.link_blob(sha, "f", "e2", cache::blob_age::fresh);
  CHECK(io::read_file(pointer, 100) == "new");
  CHECK(io::read_file(layout.blob("e1"), 100) == "old");
}

TEST_CASE_FIXTURE(fixture, "a link to nothing counts as absent, and is mended") {
  put_blob("e1", "content");
  cached.link_blob(sha, "f", "e1", cache::blob_age::fresh);
  fs::remove(layout.blob("e1"));
  CHECK_FALSE(cached.find_file(sha, "f").has_value());
  CHECK_FALSE(cached.has_blob("e1", 7));
  put_blob("e2", "again");
  cached.link_blob(sha, "f", "e2", cache::blob_age::fresh);
  CHECK(cached.find_file(sha, "f").has_value());
}

TEST_CASE_FIXTURE(fixture, "a blob of another size is damaged, or not what its etag stands for") {
  const std::string checksum(64, 'a');
  put_blob(checksum, "cut");
  CHECK(cached.has_blob(checksum, 3));
  CHECK_FALSE(cached.has_blob(checksum, 4));
  put_blob("v1", "content");
  CHECK(cached.has_blob("v1", 7));
  CHECK_THROWS_AS(cached.has_blob("v1", 8), error);
}

TEST_CASE_FIXTURE(fixture, "without links a fresh blob is moved and an existing one is copied") {
  const cache::repo_cache plain(layout, cache::link_support::never);
  put_blob("e1", "content");
  const auto first = plain.link_blob(sha, "f", "e1", cache::blob_age::existing);
  CHECK(fs::is_regular_file(fs::symlink_status(first)));
  CHECK(plain.has_blob("e1", 7));
  const auto second = plain.link_blob(sha, "g", "e1", cache::blob_age::fresh);
  CHECK(io::read_file(second, 100) == "content");
  CHECK_FALSE(plain.has_blob("e1", 7));
  CHECK(plain.find_file(sha, "g") == second);
  CHECK(files_below(layout.folder()) ==
        std::set<std::string>{"snapshots/" + sha + "/f", "snapshots/" + sha + "/g"});
}

TEST_CASE_FIXTURE(fixture, "looking up tells present, known to be absent, and unknown apart") {
  using knowledge = cache::cached_file::knowledge;
  CHECK(cached.try_to_load("main", "f").what == knowledge::nothing);
  cached.write_ref("main", sha);
  CHECK(cached.try_to_load("main", "f").what == knowledge::nothing);
  put_blob("e1", "content");
  const auto pointer = cached.link_blob(sha, "f", "e1", cache::blob_age::fresh);
  const auto found = cached.try_to_load("main", "f");
  CHECK(found.what == knowledge::present);
  CHECK(found.path == pointer);
  cached.mark_no_exist(sha, "sub/g");
  CHECK(fs::file_size(layout.folder() / ".no_exist" / sha / "sub/g") == 0);
  CHECK(cached.try_to_load("main", "sub/g").what == knowledge::absent);
  CHECK(cached.try_to_load(sha, "sub/g").what == knowledge::absent);
}

TEST_CASE_FIXTURE(fixture, "a cache that the Python client filled is read") {
  const auto root = layout.folder();
  fs::create_directories(root / "blobs");
  fs::create_directories(root / "refs");
  fs::create_directories(root / "snapshots" / sha / "sub");
  io::write_file_atomically(root / "blobs/6b584e8ece562ebffc15d38808cd6b98fc3d97ea", "content");
  io::write_file_atomically(root / "blobs/abc.1a2b3c4d.incomplete", "half");
  io::write_file_atomically(root / "refs/main", sha);
  fs::create_symlink("../../../blobs/6b584e8ece562ebffc15d38808cd6b98fc3d97ea",
                     root / "snapshots" / sha / "sub/f.txt");
  io::write_file_atomically(root / "snapshots" / sha / "regular.txt", "no link");
  const auto commit = cached.resolve("main");
  REQUIRE(commit == sha);
  const auto file = cached.find_file(*commit, "sub/f.txt");
  REQUIRE(file.has_value());
  CHECK(io::read_file(*file, 100) == "content");
  CHECK(cached.find_file(*commit, "regular.txt").has_value());
  CHECK_FALSE(cached.has_blob("abc", 7));
}
