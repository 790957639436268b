#include "model/mixin/staging_folder.hpp"

#include "cohub/error.hpp"

#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct publishing_fixture {
  cohub::test::temporary_folder folder;
  fs::path staged = folder.path() / "staged";
  fs::path saved = folder.path() / "saved";

  void stage(const std::vector<std::string>& files) {
    fs::remove_all(staged);
    for (const auto& name : files) cohub::test::write_all(staged / name, "new");
  }
  void publish(bool removes_old = true) {
    const cohub::model::publish_rules rules{.removes_old = removes_old};
    cohub::model::publish_folder(staged, saved, rules);
  }
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& item : fs::recursive_directory_iterator(saved))
      if (item.is_regular_file())
        found.insert(item.path().lexically_relative(saved).generic_string());
    return found;
  }
};

const std::vector<std::string> single{"README.md", "config.json", "model.safetensors"};
const std::vector<std::string> sharded{"README.md", "config.json", "model.safetensors.index.json",
                                       "model-00001-of-00002.safetensors",
                                       "model-00002-of-00002.safetensors"};

std::set<std::string> set_of(const std::vector<std::string>& names) {
  return {names.begin(), names.end()};
}

}  // namespace

TEST_CASE_FIXTURE(publishing_fixture, "weights that are replaced under other names go") {
  cohub::test::write_all(saved / "model.safetensors.bak", "mine");
  cohub::test::write_all(saved / "adapter.safetensors", "mine");
  cohub::test::write_all(saved / "old" / "model.safetensors", "mine");
  const std::set<std::string> others{"model.safetensors.bak", "adapter.safetensors",
                                     "old/model.safetensors"};
  const auto with_others = [&](std::set<std::string> names) {
    names.insert(others.begin(), others.end());
    return names;
  };
  stage(single);
  publish();
  CHECK(names() == with_others(set_of(single)));
  stage(sharded);
  publish();
  CHECK(names() == with_others(set_of(sharded)));
  stage({"config.json", "model.safetensors.index.json", "model-00001-of-00003.safetensors",
         "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors"});
  publish();
  CHECK_FALSE(names().contains("model-00001-of-00002.safetensors"));
  CHECK(names().contains("model-00003-of-00003.safetensors"));
  stage(single);
  publish();
  CHECK(names() == with_others(set_of(single)));
}

TEST_CASE_FIXTURE(publishing_fixture,
                  "processes that save a shard each leave those of the others") {
  cohub::test::write_all(saved / "model.safetensors", "old");
  for (int rank = 1; rank <= 4; ++rank) {
    stage({"model-0000" + std::to_string(rank) + "-of-00004.safetensors"});
    publish();
  }
  CHECK(names() ==
        set_of({"model-00001-of-00004.safetensors", "model-00002-of-00004.safetensors",
                "model-00003-of-00004.safetensors", "model-00004-of-00004.safetensors"}));
}

TEST_CASE_FIXTURE(publishing_fixture,
                  "what an older save left stays where another process removes") {
  fs::create_directories(saved);
  stage(single);
  publish();
  stage({"model-00001-of-00002.safetensors"});
  publish(false);
  auto both = set_of(single);
  both.insert("model-00001-of-00002.safetensors");
  CHECK(names() == both);
}

TEST_CASE_FIXTURE(publishing_fixture, "files appear weights first, then index, config and card") {
  // What cannot be replaced by a file stops the publishing there.
  const std::vector<std::vector<std::string>> order{
      {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"},
      {"model.safetensors.index.json"},
      {"config.json"},
      {"README.md"}};
  std::set<std::string> expected(order[0].begin(), order[0].end());
  for (std::size_t i = 1; i < order.size(); ++i) {
    CAPTURE(order[i][0]);
    fs::remove_all(saved);
    cohub::test::write_all(saved / order[i][0] / "in the way", "x");
    stage(sharded);
    CHECK_THROWS_AS(publish(), cohub::error);
    auto there = expected;
    there.insert(order[i][0] + "/in the way");
    CHECK(names() == there);
    expected.insert(order[i][0]);
  }
}

TEST_CASE_FIXTURE(publishing_fixture, "an index goes before shards that are replaced beside it") {
  const auto in_the_way = saved / sharded.back() / "in the way";
  fs::create_directories(saved);
  stage(sharded);
  publish();
  fs::remove(saved / sharded.back());
  cohub::test::write_all(in_the_way, "x");
  stage(sharded);
  CHECK_THROWS_AS(publish(), cohub::error);
  CHECK(names() == std::set<std::string>{"README.md", "config.json", sharded[3],
                                         sharded.back() + "/in the way"});
  // A process that saves shards alone leaves the index to the one that has it.
  stage({sharded[3]});
  cohub::test::write_all(saved / sharded[2], "index");
  publish();
  CHECK(cohub::test::read_all(saved / sharded[2]) == "index");
}

TEST_CASE_FIXTURE(publishing_fixture, "nothing is left of a file that could not be put in place") {
  stage(single);
  cohub::test::write_all(saved / "config.json" / "in the way", "x");
  const cohub::model::publish_rules rules{.keeps_staged = true};
  CHECK_THROWS_AS(cohub::model::publish_folder(staged, saved, rules), cohub::error);
  CHECK(names() == std::set<std::string>{"model.safetensors", "config.json/in the way"});
  CHECK(std::distance(fs::directory_iterator(staged), fs::directory_iterator()) == 3);
}
