#include "model/mixin/replaced_weights.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

using cohub::model::replaced_weights;
using names = std::vector<std::string>;

namespace {

const std::string single = "model.safetensors", table = "model.safetensors.index.json";

std::string shard(int number, int count) {
  return "model-0000" + std::to_string(number) + "-of-0000" + std::to_string(count) +
         ".safetensors";
}

names replaced_by(const std::set<std::string>& saved, const names& there) {
  return replaced_weights(saved, saved, there);
}

}  // namespace

TEST_CASE("one file stands for shards and index, and shards for one file") {
  CHECK(replaced_by({single}, {shard(1, 2), shard(2, 2), table, single}) ==
        names{table, shard(1, 2), shard(2, 2)});
  CHECK(replaced_by({shard(1, 2), shard(2, 2), table}, {single, shard(1, 3), table, "a.txt"}) ==
        names{single, shard(1, 3)});
  CHECK(replaced_by({"a/" + single}, {shard(1, 2), "a/" + shard(1, 2), "a/other.safetensors"}) ==
        names{"a/" + shard(1, 2)});
}

TEST_CASE("what a save made but did not publish stays") {
  const std::set<std::string> saved{shard(1, 2), shard(2, 2), table, "README.md"};
  const names there{shard(1, 2), shard(2, 2), table, single};
  CHECK(replaced_weights({"README.md"}, saved, there).empty());
  CHECK(replaced_weights({table, "README.md"}, saved, there).empty());
  CHECK(replaced_weights({shard(1, 2), shard(2, 2)}, saved, there) == names{single});
}

TEST_CASE("shards of one set may be saved by several processes") {
  const names there{shard(1, 4), shard(2, 4), table, single, shard(1, 2)};
  CHECK(replaced_by({shard(2, 4)}, there) == names{single, shard(1, 2)});
  // The index is of another set.
  CHECK(replaced_by({shard(2, 3)}, there) ==
        names{single, table, shard(1, 4), shard(2, 4), shard(1, 2)});
}
