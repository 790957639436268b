#pragma once

#include "cohub/commit.hpp"

#include "transfer/context.hpp"
#include "transfer/upload/upload_plan.hpp"
#include "transfer/upload_total.hpp"

#include <memory>
#include <string>

namespace cohub::transfer {

/// One commit on its way; shared by the coroutines that work on it.
struct commit_in_progress {
  std::string repo_id{};
  std::string message{};
  create_commit_options options{};
  std::string token{};
  std::shared_ptr<cohub::observer> observer{};  ///< as `context::listener_for`
  std::shared_ptr<commit_plan> plan{};
  std::shared_ptr<upload_total> total{};  ///< that its files count in
  std::size_t adds_counted = 0;           ///< how many of the first additions are, as sent
  /// Its deletions are of a listing: what others delete meanwhile need not be deleted.
  bool lists_deletions = false;
  std::string head{};  ///< where the branch was when the Hub was last asked; empty: not known
};
using commit_ptr = std::shared_ptr<commit_in_progress>;

}  // namespace cohub::transfer
