#include "cohub/error.hpp"
#include "cohub/state_dict.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace cohub;

namespace {

using groups = std::vector<std::vector<std::string>>;

state_dict_split split(std::vector<state_dict_item> items, byte_size max_shard_size) {
  const state_dict_split_options options{.filename_pattern = "file{suffix}.dummy",
                                         .max_shard_size = max_shard_size};
  return split_state_dict_into_shards(items, options);
}

groups tensors_of(const state_dict_split& split) {
  groups result;
  for (const auto& file : split.files) result.push_back(file.tensors);
  return result;
}

std::vector<state_dict_item> sized(const std::vector<std::uint64_t>& sizes) {
  std::vector<state_dict_item> items;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    items.push_back({"layer_" + std::to_string(i + 1), sizes[i], {}});
  return items;
}

const std::vector<state_dict_item> five = sized({6, 10, 30, 2, 2});

}  // namespace

TEST_CASE("what fits in one file is one file (V81)") {
  const auto whole = split(five, 100);
  CHECK_FALSE(whole.is_sharded());
  REQUIRE(whole.files.size() == 1);
  CHECK(whole.files[0].name == "file.dummy");
  CHECK(whole.files[0].tensors.size() == 5);
  CHECK(whole.total_size == 50);
  CHECK(split({}, 100).files.empty());
}

TEST_CASE("shards are filled in order, and a larger tensor has one of its own (V82)") {
  const auto parts = split(five, 10);
  CHECK(parts.is_sharded());
  CHECK(tensors_of(parts) == groups{{"layer_1"}, {"layer_3"}, {"layer_2"}, {"layer_4", "layer_5"}});
  CHECK(parts.files[0].name == "file-00001-of-00004.dummy");
  CHECK(parts.files[3].name == "file-00004-of-00004.dummy");
  CHECK(parts.total_size == 50);
}

TEST_CASE("tensors of one storage come to one shard, and count once (V83)") {
  auto items = sized({1, 2, 1, 2, 1});
  for (std::size_t i = 0; i < items.size(); ++i) items[i].storage_id = i % 2 == 0 ? "a" : "b";
  const auto parts = split(items, 1);
  CHECK(tensors_of(parts) == groups{{"layer_2", "layer_4"}, {"layer_1", "layer_3", "layer_5"}});
  CHECK(parts.total_size == 3);
}

TEST_CASE("no better fit is looked for, and a shard begun is filled on (V85)") {
  CHECK(tensors_of(split(sized({6, 6, 2, 6, 2, 2}), 10)) ==
        groups{{"layer_1"}, {"layer_2", "layer_3"}, {"layer_4", "layer_5", "layer_6"}});
  CHECK(tensors_of(split(sized({5, 30, 5}), 10)) == groups{{"layer_2"}, {"layer_1", "layer_3"}});
}

TEST_CASE("sizes are told as text, in powers of 1000 (V86)") {
  CHECK(parse_size_to_int("1KB") == 1'000);
  CHECK(parse_size_to_int("2MB") == 2'000'000);
  CHECK(parse_size_to_int("3GB") == 3'000'000'000);
  CHECK(parse_size_to_int("4TB") == 4'000'000'000'000);
  CHECK(parse_size_to_int(" 10 KB ") == 10'000);
  CHECK(parse_size_to_int("20mb") == 20'000'000);
  CHECK(parse_size_to_int("1.5Gb") == 1'500'000'000);
  CHECK(parse_size_to_int("0.0015KB") == 1);
  for (const auto* text : {"1KiB", "1ooKB", "", "KB", "5", "5B", "-1KB", "+1KB", "1e3KB", "1_0KB",
                           "0KB", "infKB", "nanKB", "1.2.3KB", "99999999999TB", "1 0KB"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_size_to_int(text), error);
  }
  CHECK(byte_size("1KB").bytes() == 1'000);
  CHECK(byte_size(7u).bytes() == 7);
  CHECK_THROWS_AS(byte_size(-1), error);
}

TEST_CASE("a pattern is a plain file name with one place for the suffix") {
  for (const auto* pattern : {"model.safetensors", "{suffix}{suffix}", "../m{suffix}",
                              "a/b{suffix}", "C:m{suffix}", "/m{suffix}"}) {
    CAPTURE(pattern);
    const state_dict_split_options options{.filename_pattern = pattern};
    CHECK_THROWS_AS(split_state_dict_into_shards({}, options), error);
  }
}

TEST_CASE("sizes that overflow are refused") {
  CHECK_THROWS_AS(split(sized({std::numeric_limits<std::uint64_t>::max(), 1}), 10), error);
}
