#include "cache/tree_cache.hpp"

#include "io/file.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace cohub;

namespace {

tree_entry file(std::string path, std::uint64_t size) {
  tree_entry entry;
  entry.path = std::move(path);
  entry.size = size;
  entry.oid = std::string(40, '1');
  return entry;
}

std::vector<tree_entry> example() {
  auto large = file("model.safetensors", 8);
  lfs_info info;
  info.sha256 = std::string(64, 'e');
  info.size = 8;
  large.lfs = info;
  tree_entry folder;
  folder.type = tree_entry::kind::directory;
  folder.path = "sub";
  return {large, folder, file("README.md", 167), file("sub/\xc3\xa9\"\\\xf0\x9f\x98\x80", 1)};
}

}  // namespace

TEST_CASE("a listing is written as the Python client writes it") {
  const std::string sha1(40, '1');
  CHECK(cache::tree_text(example()).str() ==
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
  CHECK(cache::tree_text().str() == "{\n \"format_version\": 1,\n \"files\": {}\n}");
}

TEST_CASE("a listing survives the way to disk and back, readable for the group") {
  const io::temporary_directory folder;
  const auto path = folder.path() / "trees" / (std::string(40, 'a') + ".json");
  CHECK_FALSE(cache::read_tree(path).has_value());
  const auto before = ::umask(022);
  cache::write_tree(path, cache::tree_text(example()));
  ::umask(before);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0644);
  const auto entries = cache::read_tree(path);
  REQUIRE(entries.has_value());
  REQUIRE(entries->size() == 3);
  CHECK((*entries)[1].path == "model.safetensors");
  REQUIRE((*entries)[1].lfs.has_value());
  CHECK((*entries)[1].lfs->sha256 == std::string(64, 'e'));
  CHECK((*entries)[2].path == "sub/\xc3\xa9\"\\\xf0\x9f\x98\x80");
}

TEST_CASE("a listing that cannot be trusted is none") {
  const std::string sha1(40, '1');
  const auto with_file = [](const std::string& name, const std::string& fields) {
    return "{\"format_version\": 1, \"files\": {\"" + name + "\": {\"size\": 1, " + fields + "}}}";
  };
  const std::string id = "\"blob_id\": \"" + sha1 + "\"";
  CHECK(cache::decode_tree(with_file("f", id)).has_value());
  CHECK(cache::decode_tree(with_file("f", id + ", \"xet_hash\": \"" + std::string(64, 'a') + "\""))
            .has_value());
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"),
        std::string("{\"format_version\": 2, \"files\": {}}"),
        std::string("{\"format_version\": 1, \"files\": []}"), with_file("../f", id),
        with_file("/f", id), with_file("f", "\"blob_id\": \"x\""),
        with_file("f", id + ", \"lfs_sha256\": \"../../x\""),
        with_file("f", id + ", \"xet_hash\": \"" + std::string(64, '*') + "\""),
        with_file("f", id + ", \"lfs_sha256\": \"" + std::string(64, 'e') + "\""),
        "{\"format_version\": 1, \"files\": {\"f\": {" + id + "}}}",
        "{\"format_version\": 1, \"files\": {\"f\": {\"size\": \"1\", " + id + "}}}"}) {
    CAPTURE(text);
    CHECK_FALSE(cache::decode_tree(text).has_value());
  }
}

TEST_CASE("the Xet hash of a file is kept, and a listing that hides one is not") {
  const io::temporary_directory folder;
  const auto path = folder.path() / "trees" / (std::string(40, 'a') + ".json");
  auto entries = example();
  for (const char digit : {'c', 'C'}) {
    entries[0].xet_hash = std::string(64, digit);
    CHECK(cache::tree_text(entries).str().find("\"lfs_size\": 8,\n   \"xet_hash\": \"" +
                                               std::string(64, digit) + "\"\n") !=
          std::string::npos);
    cache::write_tree(path, cache::tree_text(entries));
    const auto kept = cache::read_tree(path);
    REQUIRE(kept.has_value());
    CHECK((*kept)[1].xet_hash == std::string(64, digit));
  }
  std::filesystem::remove_all(folder.path() / "trees");
  for (const auto& hidden : {std::string(64, '*'), std::string("abc")}) {
    entries[0].xet_hash = hidden;
    CHECK_FALSE(cache::tree_text(entries).is_worth_keeping());
    cache::write_tree(path, cache::tree_text(entries));
    CHECK_FALSE(std::filesystem::exists(path));
  }
}
