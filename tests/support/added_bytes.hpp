#pragma once

#include "cohub/commit.hpp"

#include <string>
#include <utility>
#include <vector>

namespace cohub::test {

/// What a commit does that brings one file.
inline std::vector<commit_operation> add_bytes(std::string path, std::string content) {
  commit_operation_add add;
  add.path_in_repo = std::move(path);
  add.content = commit_operation_add::bytes{std::move(content)};
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(add));
  return operations;
}

}  // namespace cohub::test
