#pragma once

#include "server/handlers/call.hpp"

/// What the routes of the API do (hub-protocol, sections 3, 6 and 7).
namespace cohub::server {

class git_repository;

// repo_handlers.cpp
reply whoami(hub_store& store, const call& what);
reply create_repo(hub_store& store, const call& what);
reply duplicate_repo(hub_store& store, const call& what);
reply move_repo(hub_store& store, const call& what);
reply delete_repo(hub_store& store, const call& what);
reply get_repo_info(hub_store& store, const call& what);
reply check_access(hub_store& store, const call& what);
reply check_write_access(hub_store& store, const call& what);
reply validate_yaml(hub_store& store, const call& what);

// people_handlers.cpp
reply get_user(hub_store& store, const call& what);
reply get_organization(hub_store& store, const call& what);
reply list_members(hub_store& store, const call& what);
/// Of what nobody counts or collects here.
reply list_nothing(hub_store& store, const call& what);
reply list_likers(hub_store& store, const call& what);
reply unlike(hub_store& store, const call& what);

// access_handlers.cpp
reply update_settings(hub_store& store, const call& what);
reply ask_access(hub_store& store, const call& what);
reply list_access_requests(hub_store& store, const call& what);
reply change_access_request(hub_store& store, const call& what);

// tree_handlers.cpp
reply list_tree(hub_store& store, const call& what);
reply get_paths_info(hub_store& store, const call& what);

// revision_handlers.cpp
reply list_refs(hub_store& store, const call& what);
reply list_commits(hub_store& store, const call& what);
reply compare_commits(hub_store& store, const call& what);
reply create_branch(hub_store& store, const call& what);
reply delete_branch(hub_store& store, const call& what);
reply create_tag(hub_store& store, const call& what);
reply delete_tag(hub_store& store, const call& what);

// discussion_handlers.cpp
reply list_discussions(hub_store& store, const call& what);
reply create_discussion(hub_store& store, const call& what);
reply get_discussion(hub_store& store, const call& what);
reply change_discussion(hub_store& store, const call& what);
reply super_squash(hub_store& store, const call& what);

// storage_handlers.cpp
reply list_lfs_files(hub_store& store, const call& what);
reply delete_lfs_files(hub_store& store, const call& what);
/// The repositories of the token's user, or of the organisation that is the call's id.
reply list_own_repos(hub_store& store, const call& what);

// listing_handlers.cpp
reply list_repos(hub_store& store, const call& what);

// file_handlers.cpp
reply resolve_file(hub_store& store, const call& what);
/// What `resolve_file` redirects to for small files.
reply resolve_cached_file(hub_store& store, const call& what);
reply raw_file(hub_store& store, const call& what);

// commit_handlers.cpp
reply preupload(hub_store& store, const call& what);
std::unique_ptr<body_consumer> receive_commit(hub_store& store, const call& what);

// lfs_handlers.cpp
reply lfs_batch(hub_store& store, const call& what);
reply lfs_verify(hub_store& store, const call& what);
/// Gives objects of one repository to another.
reply duplicate_lfs_files(hub_store& store, const call& what);

/// The commit that the call's revision means. @throws failure  404 RevisionNotFound
std::string require_commit(const git_repository& repository, const call& what);

}  // namespace cohub::server
