#pragma once

#include "cohub/observer.hpp"
#include "cohub/repository.hpp"

#include "transfer/context.hpp"
#include "transfer/upload_plan.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cohub::transfer {

/// Where large files go and on whose behalf.
struct lfs_target {
  std::string repo_id{};
  repo_type type = repo_type::model;
  std::string revision{};  ///< empty for a pull request that is not open yet
  std::string token{};
  std::shared_ptr<cohub::observer> observer{};  ///< may be null
};

/// Sends the large files of `plan` that the Hub does not have: batch, PUT, verify (hub-protocol,
/// section 7.3). `large` are indices into `plan->adds` whose `oid` is their sha256.
/// @throws error  what the Hub says of an object; errc::invalid_response for an incomplete answer
awaitable<void> upload_large_files(context_ptr shared, std::shared_ptr<const commit_plan> plan,
                                   std::vector<std::size_t> large, lfs_target target);

}  // namespace cohub::transfer
