#pragma once

#include "cohub/commit.hpp"
#include "cohub/listing.hpp"
#include "cohub/repository.hpp"

#include "transfer/context.hpp"

#include <boost/json/object.hpp>

#include <filesystem>
#include <string>
#include <vector>

/// Operations of `client` on repositories; see there.
namespace cohub::repository {

/// The members that name a repository in the bodies of create and delete.
boost::json::object named_in_body(const std::string& repo_id, repo_type type);

awaitable<void> remove(transfer::context_ptr shared, std::string repo_id,
                       delete_repo_options options);
awaitable<bool> has_file(transfer::context_ptr shared, std::string repo_id, std::string path,
                         file_exists_options options);
awaitable<void> move(transfer::context_ptr shared, std::string from_id, std::string to_id,
                     move_repo_options options);
awaitable<void> update_settings(transfer::context_ptr shared, std::string repo_id,
                                update_repo_settings_options options);
awaitable<bool> exists(transfer::context_ptr shared, std::string repo_id,
                       repo_exists_options options);
awaitable<bool> has_revision(transfer::context_ptr shared, std::string repo_id,
                             std::string revision, revision_exists_options options);
awaitable<upload_large_folder_info> upload_large_folder(transfer::context_ptr shared,
                                                        std::filesystem::path folder,
                                                        std::string repo_id,
                                                        upload_large_folder_options options);
listing<repo_info> list_repos(transfer::context_ptr shared, repo_type type,
                              list_repos_options options);
listing<std::string> list_files(transfer::context_ptr shared, std::string repo_id,
                                list_repo_files_options options);
listing<repo_storage_info> list_own(transfer::context_ptr shared, list_user_repos_options options);
awaitable<void> auth_check(transfer::context_ptr shared, std::string repo_id,
                           auth_check_options options);
listing<lfs_file_info> list_lfs_files(transfer::context_ptr shared, std::string repo_id,
                                      list_lfs_files_options options);
awaitable<void> delete_lfs_files(transfer::context_ptr shared, std::string repo_id,
                                 std::vector<lfs_file_info> files,
                                 permanently_delete_lfs_files_options options);
awaitable<user_info> whoami(transfer::context_ptr shared, whoami_options options);

}  // namespace cohub::repository
