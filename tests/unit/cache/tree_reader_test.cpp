#include "cache/tree_reader.hpp"

#include "cohub/error.hpp"

#include "cache/tree_writer.hpp"
#include "hub/repo_path.hpp"
#include "stored_listing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace cohub;

namespace {

struct listing_fixture {
  io::temporary_directory folder{};
  std::filesystem::path path = folder.path() / "trees/x.json";

  void write(const std::vector<tree_entry>& entries) {
    cache::tree_writer writer(folder.path());
    writer.add(entries);
    writer.write(path);
  }
  /// Null for text that is no listing.
  std::optional<std::vector<tree_entry>> read(const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    io::write_file_atomically(path, text);
    auto reader = cache::tree_reader::open(path);
    REQUIRE(reader.has_value());
    try {
      return all_of(*reader);
    } catch (const error& e) {
      CHECK(e.code() == errc::invalid_response);
      return {};
    }
  }
  static std::vector<tree_entry> all_of(cache::tree_reader& reader) {
    std::vector<tree_entry> all;
    for (auto some = reader.next(); some; some = reader.next())
      all.insert(all.end(), some->begin(), some->end());
    return all;
  }
};

}  // namespace

TEST_CASE_FIXTURE(listing_fixture, "a listing survives the way to disk and back") {
  CHECK_FALSE(cache::tree_reader::open(path).has_value());
  auto entries = test::example_listing();
  entries[0].xet_hash = std::string(64, 'C');
  write(entries);
  auto reader = cache::tree_reader::open(path);
  REQUIRE(reader.has_value());
  std::filesystem::remove(path);  // what is open stays
  for (int round = 0; round < 2; ++round) {
    const auto back = all_of(*reader);
    REQUIRE(back.size() == 3);
    CHECK(back[0].path == "README.md");
    CHECK(back[0].size == 167);
    CHECK(back[0].oid == std::string(40, '1'));
    CHECK_FALSE(back[0].lfs.has_value());
    CHECK(back[1].path == "model.safetensors");
    REQUIRE(back[1].lfs.has_value());
    CHECK(back[1].lfs->sha256 == std::string(64, 'e'));
    CHECK(back[1].lfs->size == 8);
    CHECK(back[1].xet_hash == std::string(64, 'C'));
    CHECK(back[2].path == "sub/\xc3\xa9\"\\\xf0\x9f\x98\x80");
    CHECK_FALSE(reader->next().has_value());
    reader->rewind();
  }
  std::filesystem::create_directory(path);
  CHECK_FALSE(cache::tree_reader::open(path).has_value());
}

TEST_CASE_FIXTURE(listing_fixture, "a long listing comes in pieces, all of it, by path") {
  std::vector<tree_entry> entries;
  for (int i = 0; i < 5000; ++i)
    entries.push_back(test::listed_file("f" + std::to_string(i * 7919 % 5000), 1));
  write(entries);
  auto reader = cache::tree_reader::open(path);
  REQUIRE(reader.has_value());
  std::size_t pieces = 0;
  std::vector<std::string> names;
  for (auto some = reader->next(); some; some = reader->next()) {
    ++pieces;
    CHECK(some->size() < 2000);
    for (const auto& entry : *some) names.push_back(entry.path);
  }
  CHECK(pieces >= 4);
  CHECK(names.size() == 5000);
  CHECK(std::is_sorted(names.begin(), names.end()));
}

TEST_CASE_FIXTURE(listing_fixture, "a listing that cannot be trusted is none") {
  const std::string sha1(40, '1');
  const auto with_file = [](const std::string& name, const std::string& fields) {
    return "{\"format_version\": 1, \"files\": {\"" + name + "\": {\"size\": 1, " + fields + "}}}";
  };
  const std::string id = "\"blob_id\": \"" + sha1 + "\"";
  for (const std::string& text :
       {with_file("f", id), with_file("f", id + ", \"xet_hash\": \"" + std::string(64, 'a') + "\""),
        with_file("f", id + ", \"later\": {\"size\": [1, {\"size\": null}]}, \"more\": [2]"),
        with_file("f", id + ", \"lfs_sha256\": null"),
        "{\"format_version\": 1, \"other\": [{\"files\": 1}], \"deep\": {\"x\": {\"y\": {}}}, "
        "\"files\": {\"f\": {\"size\": 1, " +
            id + "}}, \"last\": 1.5}\n"}) {
    CAPTURE(text);
    const auto entries = read(text);
    REQUIRE(entries.has_value());
    REQUIRE(entries->size() == 1);
    CHECK(entries->front().path == "f");
    CHECK(entries->front().size == 1);
    CHECK_FALSE(entries->front().lfs.has_value());
  }
  for (const std::string& text :
       {std::string(),
        std::string("{"),
        std::string("[]"),
        std::string("{}"),
        std::string("1"),
        std::string("null"),
        std::string("{\"format_version\": 1}"),
        std::string("{\"format_version\": 2, \"files\": {}}"),
        std::string("{\"format_version\": \"1\", \"files\": {}}"),
        std::string("{\"format_version\": 1, \"files\": []}"),
        std::string("{\"format_version\": 1, \"files\": null}"),
        std::string("{\"format_version\": 1, \"files\": {\"f\": 1}}"),
        std::string("{\"format_version\": 1, \"files\": {\"f\": [{}]}}"),
        with_file("f", id) + "x",
        with_file("f", id).substr(0, 50),
        with_file("../f", id),
        with_file("/f", id),
        with_file("f", "\"blob_id\": \"x\""),
        with_file("f", id + ", \"lfs_sha256\": \"../../x\""),
        with_file("f", id + ", \"xet_hash\": \"" + std::string(64, '*') + "\""),
        with_file("f", id + ", \"lfs_sha256\": \"" + std::string(64, 'e') + "\""),
        with_file(std::string(70'000, 'f'), id),
        with_file("f", std::string(100, '[')),
        "{\"format_version\": 1, \"files\": {\"f\": {" + id + "}}}",
        "{\"format_version\": 1, \"files\": {\"f\": {\"size\": -1, " + id + "}}}",
        "{\"format_version\": 1, \"files\": {\"f\": {\"size\": \"1\", " + id + "}}}"}) {
    CAPTURE(text.substr(0, 200));
    CHECK_FALSE(read(text).has_value());
  }
  CHECK(read("{\"format_version\": 1, \"files\": {}}").value().empty());
}

TEST_CASE_FIXTURE(listing_fixture, "whatever becomes of a listing, what is read of it is safe") {
  auto entries = test::example_listing();
  entries[0].xet_hash = std::string(64, 'c');
  write(entries);
  const auto whole = io::read_file(path, 1u << 20);
  std::mt19937 random(1);  // the same each time
  const std::string bytes = "\"\\{}[]:,/.0-9eun\n \xff\x01";
  std::size_t readable = 0;
  for (int round = 0; round < 2000; ++round) {
    auto text = whole;
    for (auto changes = 1 + random() % 3; changes > 0 && !text.empty(); --changes) {
      const auto at = random() % text.size();
      const auto byte = bytes[random() % bytes.size()];
      switch (random() % 3) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        default:
          text.erase(at, 1 + random() % 20);
      }
    }
    const auto back = read(text);
    if (!back) continue;
    ++readable;
    for (const auto& entry : *back) {
      CHECK(hub::check_download_path(entry.path).has_value());
      CHECK(entry.oid.size() == 40);
      if (entry.lfs) CHECK(entry.lfs->sha256.size() == 64);
    }
  }
  CHECK(readable > 20);    // harmless ones
  CHECK(readable < 1500);  // of all
}
