#include "cache/local_dir.hpp"

#include "cohub/error.hpp"

#include "io/file.hpp"

#include <doctest/doctest.h>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

const std::string sha(40, 'a');

struct fixture {
  io::temporary_directory parent;
  cache::local_folder folder{parent.path() / "local"};

  void put(const std::string& path, const std::string& content) {
    folder.prepare(path);
    io::write_file_atomically(folder.file(path), content);
  }
};

}  // namespace

TEST_CASE("hashed names are those of the Python client") {
  CHECK(cache::hashed_name("repo.txt") == "3rOr3SS2JUJSWmVnCU-HsZcNS08=");
  CHECK(cache::hashed_name("file.txt") == "-cBLXcT-p5K-naX2rfKJhBZ6mEc=");
}

TEST_CASE("metadata is three lines, and anything else is none") {
  const auto metadata = cache::parse_local_metadata(sha + "\netag\n1712656091.123\n");
  REQUIRE(metadata.has_value());
  CHECK(metadata->commit == sha);
  CHECK(metadata->etag == "etag");
  CHECK(metadata->timestamp == doctest::Approx(1712656091.123));
  CHECK(cache::parse_local_metadata(cache::write_local_metadata(*metadata)).has_value());
  for (const std::string& text :
       {std::string(), sha + "\netag\n", sha + "\netag\nsoon\n", sha + "\netag\nnan\n",
        std::string("main\netag\n1\n"), sha + "\n\n1\n", sha + "\netag\n1"}) {
    CAPTURE(text);
    CHECK_FALSE(cache::parse_local_metadata(text).has_value());
  }
}

TEST_CASE_FIXTURE(fixture, "bookkeeping lies where the Python client looks for it") {
  const auto root = folder.root();
  CHECK(folder.metadata_file("a/f.txt") == root / ".cache/huggingface/download/a/f.txt.metadata");
  CHECK(folder.lock_file("a/f.txt") == root / ".cache/huggingface/download/a/f.txt.lock");
  CHECK(folder.partial("a/file.txt", "e1") ==
        root / ".cache/huggingface/download/a/-cBLXcT-p5K-naX2rfKJhBZ6mEc=.e1");
  CHECK(folder.tree(sha) == root / (".cache/huggingface/trees/" + sha + ".json"));
  folder.prepare("a/f.txt");
  CHECK(io::read_file(root / ".cache/huggingface/.gitignore", 10) == "*");
  CHECK(fs::exists(root / ".cache/huggingface/CACHEDIR.TAG"));
}

TEST_CASE_FIXTURE(fixture, "names that leave no room for a suffix have metadata, too") {
  const std::string name(255, 'n');
  const auto path = "a/" + name;
  folder.prepare(path);
  put(path, "content");
  folder.write_metadata(path, sha, "e1");
  CHECK(folder.read_metadata(path).has_value());
  CHECK(folder.metadata_file(path).parent_path() ==
        folder.root() / ".cache/huggingface/download/a");
  io::write_file_atomically(folder.lock_file(path), "");
  CHECK(folder.metadata_file("a/" + name.substr(9)).filename() == name.substr(9) + ".metadata");
}

TEST_CASE_FIXTURE(fixture, "metadata is believed until the file is changed or goes") {
  put("f.txt", "content");
  CHECK_FALSE(folder.read_metadata("f.txt").has_value());
  folder.write_metadata("f.txt", sha, "e1");
  const auto metadata = folder.read_metadata("f.txt");
  REQUIRE(metadata.has_value());
  CHECK(metadata->commit == sha);
  CHECK(metadata->etag == "e1");
  fs::last_write_time(folder.file("f.txt"),
                      fs::last_write_time(folder.file("f.txt")) + std::chrono::seconds(10));
  CHECK_FALSE(folder.read_metadata("f.txt").has_value());
  fs::remove(folder.file("f.txt"));
  CHECK_FALSE(folder.read_metadata("f.txt").has_value());
  CHECK(fs::exists(folder.metadata_file("f.txt")));
}

TEST_CASE_FIXTURE(fixture, "damaged metadata is none, and reading changes nothing") {
  put("f.txt", "content");
  io::write_file_atomically(folder.metadata_file("f.txt"), "damaged");
  CHECK_FALSE(folder.read_metadata("f.txt").has_value());
  CHECK(fs::exists(folder.metadata_file("f.txt")));
  folder.write_metadata("f.txt", sha, "e1");
  CHECK(folder.read_metadata("f.txt").has_value());
}

TEST_CASE_FIXTURE(fixture, "no file takes the place of what is noted about files") {
  for (const char* path : {".cache/huggingface/download/w.bin.metadata", ".cache/huggingface/x",
                           ".Cache/HuggingFace/trees/x.json", "d/../.cache/./huggingface/x"})
    CHECK_THROWS_AS(folder.file(path), error);
  CHECK_NOTHROW(folder.file(".cache/other"));
  CHECK_NOTHROW(folder.file("d/.cache/huggingface/x"));
}

TEST_CASE_FIXTURE(fixture, "partials of other content go, those of other files and clients stay") {
  const std::string now(64, 'a');
  const std::string old(64, 'b');
  folder.prepare("d/w.bin");
  const auto put = [](fs::path stem, const char* suffix) {
    stem += suffix;
    io::write_file_atomically(stem, "x");
    return stem;
  };
  const auto mine = put(folder.partial("d/w.bin", now), ".cohub.partial");
  const auto others = put(folder.partial("d/v.bin", old), ".cohub.partial");
  const auto pythons = put(folder.partial("d/w.bin", old), ".1a2b3c4d.incomplete");
  const auto gone = put(folder.partial("d/w.bin", old), ".cohub.partial");
  const auto gone_too = put(folder.partial("d/w.bin", old), ".cohub.journal");
  folder.remove_other_partials("d/w.bin", now);
  CHECK(fs::exists(mine));
  CHECK(fs::exists(others));
  CHECK(fs::exists(pythons));
  CHECK_FALSE(fs::exists(gone));
  CHECK_FALSE(fs::exists(gone_too));
}

TEST_CASE_FIXTURE(fixture, "nothing is written through bookkeeping that is a link") {
  fs::create_directories(folder.root());
  fs::create_directory(parent.path() / "outside");
  fs::create_directory_symlink(parent.path() / "outside", folder.root() / ".cache");
  CHECK_THROWS_AS(folder.prepare_trees(), error);
  CHECK_THROWS_AS(folder.prepare("f.txt"), error);
  CHECK(fs::is_empty(parent.path() / "outside"));
}

TEST_CASE_FIXTURE(fixture, "no path leads out of the folder, by name or by link") {
  CHECK_THROWS_AS(folder.file("../f"), error);
  CHECK_THROWS_AS(folder.metadata_file("/f"), error);
  CHECK_THROWS_AS(folder.partial("f", "../e"), error);
  fs::create_directories(folder.root());
  fs::create_directory_symlink(parent.path(), folder.root() / "out");
  CHECK_THROWS_AS(folder.prepare("out/f.txt"), error);
  CHECK_THROWS_AS(folder.prepare("out/deeper/f.txt"), error);
  CHECK_FALSE(fs::exists(parent.path() / "deeper"));
}
