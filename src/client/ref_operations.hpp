#pragma once

#include "cohub/listing.hpp"
#include "cohub/refs.hpp"

#include "transfer/context.hpp"

#include <string>

/// Operations of `client` on branches, tags and the history; see there.
namespace cohub::repository {

awaitable<git_refs> list_refs(transfer::context_ptr shared, std::string repo_id,
                              list_repo_refs_options options);
listing<git_commit_info> list_commits(transfer::context_ptr shared, std::string repo_id,
                                      list_repo_commits_options options);
awaitable<std::string> commit_diff(transfer::context_ptr shared, std::string repo_id,
                                   std::string from, std::string to,
                                   get_commit_diff_options options);
awaitable<void> create_branch(transfer::context_ptr shared, std::string repo_id, std::string branch,
                              create_branch_options options);
awaitable<void> delete_branch(transfer::context_ptr shared, std::string repo_id, std::string branch,
                              delete_branch_options options);
awaitable<void> create_tag(transfer::context_ptr shared, std::string repo_id, std::string tag,
                           create_tag_options options);
awaitable<void> delete_tag(transfer::context_ptr shared, std::string repo_id, std::string tag,
                           delete_tag_options options);

awaitable<void> super_squash(transfer::context_ptr shared, std::string repo_id,
                             super_squash_history_options options);

}  // namespace cohub::repository
