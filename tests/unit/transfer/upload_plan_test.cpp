#include "transfer/upload_plan.hpp"

#include "transfer/kept_source.hpp"

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

}  // namespace

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
