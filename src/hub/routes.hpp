#pragma once

#include "cohub/discussion.hpp"
#include "cohub/repository.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Urls of the Hub, below an endpoint without final '/' (hub-protocol, section 2.3).
namespace cohub::hub::routes {

std::string resolve(std::string_view endpoint, repo_type type, std::string_view repo_id,
                    std::string_view revision, std::string_view path);
std::string repo_page(std::string_view endpoint, repo_type type, std::string_view repo_id);

std::string whoami(std::string_view endpoint);
std::string create_repo(std::string_view endpoint);
std::string delete_repo(std::string_view endpoint);
std::string move_repo(std::string_view endpoint);
std::string space_templates(std::string_view endpoint);
std::string validate_yaml(std::string_view endpoint);

/// `revision` empty: the default branch.
std::string repo_info(std::string_view endpoint, repo_type type, std::string_view repo_id,
                      std::string_view revision, bool files_metadata,
                      const std::vector<std::string>& expand = {}, bool security_status = false);
std::string duplicate_repo(std::string_view endpoint, repo_type type, std::string_view repo_id);
std::string auth_check(std::string_view endpoint, repo_type type, std::string_view repo_id,
                       bool write);
/// `organization` empty: those of the token's user.
std::string user_repos(std::string_view endpoint, std::string_view organization);
std::string lfs_files(std::string_view endpoint, repo_type type, std::string_view repo_id);
/// Where large objects are deleted.
std::string lfs_deletions(std::string_view endpoint, repo_type type, std::string_view repo_id);
std::string compare(std::string_view endpoint, repo_type type, std::string_view repo_id,
                    std::string_view from, std::string_view to, bool raw);
std::string settings(std::string_view endpoint, repo_type type, std::string_view repo_id);
std::string discussions(std::string_view endpoint, repo_type type, std::string_view repo_id);
/// What is asked of a page of discussions: "?p=0&...".
std::string discussion_query(std::uint64_t page, const get_repo_discussions_options& options);
std::string super_squash(std::string_view endpoint, repo_type type, std::string_view repo_id,
                         std::string_view branch);
std::string access_requests(std::string_view endpoint, repo_type type, std::string_view repo_id);
/// All repositories of a type that the options want (hub-protocol, section 6.6).
std::string list_repos(std::string_view endpoint, repo_type type,
                       const list_repos_options& options);
std::string refs(std::string_view endpoint, repo_type type, std::string_view repo_id,
                 bool include_pull_requests);
std::string commits(std::string_view endpoint, repo_type type, std::string_view repo_id,
                    std::string_view revision, bool formatted = false);
std::string branch(std::string_view endpoint, repo_type type, std::string_view repo_id,
                   std::string_view name);
/// `name`: the tag to delete, or what a new one is to name.
std::string tag(std::string_view endpoint, repo_type type, std::string_view repo_id,
                std::string_view name);
/// `path` empty: the root.
std::string tree(std::string_view endpoint, repo_type type, std::string_view repo_id,
                 std::string_view revision, std::string_view path, bool recursive,
                 bool expand = false);
std::string paths_info(std::string_view endpoint, repo_type type, std::string_view repo_id,
                       std::string_view revision);
std::string preupload(std::string_view endpoint, repo_type type, std::string_view repo_id,
                      std::string_view revision, bool create_pr);
std::string commit(std::string_view endpoint, repo_type type, std::string_view repo_id,
                   std::string_view revision, bool create_pr);
/// Gives large files of this repository to another one (hub-protocol, section 7.4).
std::string duplicate_lfs_files(std::string_view endpoint, repo_type type,
                                std::string_view repo_id);
std::string lfs_batch(std::string_view endpoint, repo_type type, std::string_view repo_id);

/// Moves a url that the public Hub wrote (`https://huggingface.co/...`) to the configured endpoint.
std::string rebase(std::string url, std::string_view endpoint);

}  // namespace cohub::hub::routes
