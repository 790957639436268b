#include "cache/tree_writer.hpp"

#include "io/file.hpp"
#include "stored_listing.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace cohub;
using test::example_listing;
using test::listed_file;

namespace {

std::string written(const std::vector<tree_entry>& entries) {
  const io::temporary_directory folder;
  cache::tree_writer writer(folder.path());
  writer.add(entries);
  writer.write(folder.path() / "trees/x.json");
  return io::read_file(folder.path() / "trees/x.json", 1u << 30);
}

}  // namespace

TEST_CASE("a listing is written as the Python client writes it") {
  const std::string sha1(40, '1');
  CHECK(written(example_listing()) ==
        "{\n \"format_version\": 1,\n \"files\": {\n"
        "  \"README.md\": {\n   \"size\": 167,\n   \"blob_id\": \"" +
            sha1 +
            "\"\n  },\n"
            "  \"model.safetensors\": {\n   \"size\": 8,\n   \"blob_id\": \"" +
            sha1 +
            "\",\n"
            "   \"lfs_sha256\": \"" +
            std::string(64, 'e') +
            "\",\n   \"lfs_size\": 8\n  },\n"
            "  \"sub/\\u00e9\\\"\\\\\\ud83d\\ude00\": {\n   \"size\": 1,\n   \"blob_id\": \"" +
            sha1 + "\"\n  }\n }\n}");
  CHECK(written({}) == "{\n \"format_version\": 1,\n \"files\": {}\n}");
}

TEST_CASE("a listing is readable for the group, and replaces one that is there") {
  const io::temporary_directory folder;
  const auto path = folder.path() / "trees/x.json";
  const auto before = ::umask(022);
  for (int i = 0; i < 2; ++i) {
    cache::tree_writer writer(folder.path());
    writer.add(example_listing());
    writer.write(path);
  }
  ::umask(before);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0644);
}

TEST_CASE("a Xet hash is kept; a listing that hides one, or has no file, is not worth it") {
  const io::temporary_directory folder;
  auto entries = example_listing();
  for (const char digit : {'c', 'C'}) {
    entries[0].xet_hash = std::string(64, digit);
    CHECK(written(entries).find("\"lfs_size\": 8,\n   \"xet_hash\": \"" + std::string(64, digit) +
                                "\"\n") != std::string::npos);
  }
  cache::tree_writer writer(folder.path());
  CHECK_FALSE(writer.is_worth_keeping());
  writer.add({entries[1]});  // a folder
  CHECK_FALSE(writer.is_worth_keeping());
  writer.add(entries);
  CHECK(writer.is_worth_keeping());
  for (const auto& hidden : {std::string(64, '*'), std::string("abc")}) {
    cache::tree_writer other(folder.path());
    entries[0].xet_hash = hidden;
    other.add(entries);
    CHECK_FALSE(other.is_worth_keeping());
  }
}
