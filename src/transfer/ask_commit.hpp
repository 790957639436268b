#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/repository.hpp"

#include "transfer/context.hpp"
#include "transfer/hub_access.hpp"

#include <chrono>
#include <string>

namespace cohub::transfer {

/// How the commit is asked for: at first quickly, for the cache may know what a Hub in trouble
/// takes long to tell.
enum class asking { once, patiently };

/// Which commit a revision names.
struct commit_question {
  hub_access access{};
  std::string repo_id{};
  repo_type type = repo_type::model;
  std::string revision{};
  std::chrono::milliseconds limit{};  ///< of the quick question
};

/// What the Hub answers: 40 hex digits.
/// @throws error  errc::not_a_hub: the answer names no commit; as `repo_info`
awaitable<std::string> ask_commit(context_ptr shared, commit_question question, asking how);

}  // namespace cohub::transfer
