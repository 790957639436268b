#include "transfer/upload/upload_plan.hpp"

#include "transfer/upload/kept_source.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace cohub;
using namespace cohub::transfer;

namespace {

commit_operation add(std::string path) {
  commit_operation_add operation;
  operation.path_in_repo = std::move(path);
  operation.content = commit_operation_add::bytes{"x"};
  return operation;
}

commit_operation removal(std::string path) {
  commit_operation_delete operation;
  operation.path_in_repo = std::move(path);
  return operation;
}

commit_operation copy(std::string path) {
  commit_operation_copy operation;
  operation.src_path_in_repo = "source";
  operation.path_in_repo = std::move(path);
  return operation;
}

}  // namespace

TEST_CASE("the last operation that fills a path is the one that counts") {
  const auto plan =
      plan_commit({add("a"), copy("b"), add("./b"), copy("a"), copy("/c"), copy("c")});
  REQUIRE(plan.adds.size() == 1);
  CHECK(plan.adds[0].path == "b");
  CHECK(plan.adds[0].operation == 2);
  REQUIRE(plan.copies.size() == 2);
  CHECK(plan.copies[0].operation == 3);
  CHECK(plan.copies[1].operation == 5);
}

TEST_CASE("what is deleted twice is deleted once") {
  const auto plan =
      plan_commit({removal("a"), removal("b"), removal("./a"), removal("d/"), removal("d/")});
  REQUIRE(plan.deletes.size() == 3);
  CHECK(plan.deletes[2].path == "d");
}

TEST_CASE("additions are told apart that the same commit deletes first") {
  const std::vector<commit_operation> operations{
      removal("data/"),  removal("a.txt"), add("data/x"), add("data/deep/y"), add("database/z"),
      add("other/data"), add("a.txt"),     add("b.txt"),  add("data")};
  std::map<std::string, bool> refilled;
  for (const auto& each : plan_commit(operations).adds) refilled[each.path] = each.refilled;
  CHECK(refilled == std::map<std::string, bool>{{"data/x", true},
                                                {"data/deep/y", true},
                                                {"database/z", false},
                                                {"other/data", false},
                                                {"a.txt", true},
                                                {"b.txt", false},
                                                {"data", true}});
}

TEST_CASE("content that is kept for several tries is held once") {
  std::vector<commit_operation> operations{add("a"), removal("b")};
  keep_sources(operations);
  const auto& content = std::get<commit_operation_add>(operations[0]).content;
  const auto copy = operations;
  CHECK(std::get<std::shared_ptr<upload_source>>(content) ==
        std::get<std::shared_ptr<upload_source>>(std::get<commit_operation_add>(copy[0]).content));
  CHECK_FALSE(has_spent_source(operations));
}
