#include "cohub/client.hpp"

#include "cohub/detail/operation.hpp"

#include "client/access_operations.hpp"
#include "client/cache_operations.hpp"
#include "client/client_state.hpp"
#include "client/discussion_operations.hpp"
#include "client/ref_operations.hpp"
#include "client/repo_creation.hpp"
#include "client/repository_operations.hpp"
#include "transfer/commit/create_commit.hpp"
#include "transfer/commit/delete_files.hpp"
#include "transfer/commit/validate_card.hpp"
#include "transfer/download/download_file.hpp"
#include "transfer/download/verify_cache.hpp"
#include "transfer/folder/upload_folder.hpp"
#include "transfer/paths_info.hpp"
#include "transfer/remote_file/remote_file.hpp"
#include "transfer/report_event.hpp"
#include "transfer/resolve_revision.hpp"
#include "transfer/snapshot/snapshot.hpp"
#include "transfer/tree_listing.hpp"

#include <utility>

// Members are not coroutines: they hand the shared state to one, so that an operation may outlive
// the client it was called on.
namespace cohub {

std::shared_ptr<observer> detail::listener_of(const client& hub,
                                              const std::shared_ptr<observer>& own) {
  return hub.state_->shared->listener_for(own);
}

void detail::tell_warning(const client& hub, const std::string& file, const std::string& what) {
  transfer::report_event(listener_of(hub), transfer_event::kind::warning, file, what);
}

client::client(asio::any_io_executor executor, named<client_config> config)
    : state_(std::make_shared<detail::client_state>(
          detail::make_client_state(std::move(executor), *config))) {}

client client::identified_as(std::string library_name, std::string library_version) const {
  client copy(*this);
  copy.state_ = std::make_shared<detail::client_state>(
      detail::identify(*state_, library_name, library_version));
  return copy;
}

const std::string& client::endpoint() const noexcept { return state_->shared->endpoint; }

bool client::is_offline() const noexcept { return state_->shared->offline; }

const std::filesystem::path& client::cache_dir() const noexcept {
  return state_->shared->cache_dir;
}

asio::any_io_executor client::get_executor() const noexcept { return state_->executor; }

asio::any_io_executor client::blocking_executor() const noexcept { return state_->shared->pool; }

const std::shared_ptr<cohub::observer>& client::default_observer() const noexcept {
  return state_->shared->observer;
}

void client::close_idle_connections() noexcept {
  state_->shared->transport->close_idle_connections();
}

awaitable<std::filesystem::path> client::download_file(std::string repo_id, std::string path,
                                                       named<download_options> options) {
  return detail::operation(transfer::download_file(state_->shared, std::move(repo_id),
                                                   std::move(path), *std::move(options)));
}

awaitable<dry_run_file_info> client::download_file_dry_run(std::string repo_id, std::string path,
                                                           named<download_options> options) {
  return detail::operation(transfer::download_file_dry_run(state_->shared, std::move(repo_id),
                                                           std::move(path), *std::move(options)));
}

awaitable<cached_file> client::try_to_load_from_cache(
    std::string repo_id, std::string path, named<try_to_load_from_cache_options> options) {
  return detail::operation(transfer::try_to_load_from_cache(state_->shared, std::move(repo_id),
                                                            std::move(path), *std::move(options)));
}

awaitable<std::filesystem::path> client::snapshot_download(
    std::string repo_id, named<snapshot_download_options> options) {
  return detail::operation(
      transfer::snapshot_download(state_->shared, std::move(repo_id), *std::move(options)));
}

awaitable<remote_file> client::open_file(std::string repo_id, std::string path,
                                         named<open_file_options> options) {
  return detail::operation(transfer::open_file(state_->shared, std::move(repo_id), std::move(path),
                                               *std::move(options)));
}

awaitable<std::string> client::read_file(std::string repo_id, std::string path,
                                         named<read_file_options> options) {
  return detail::operation(transfer::read_file(state_->shared, std::move(repo_id), std::move(path),
                                               *std::move(options)));
}

awaitable<std::vector<std::string>> client::validate_card(std::string content,
                                                          named<validate_card_options> options) {
  auto token = state_->shared->token_for(options->token);
  return detail::operation(
      transfer::validate_card(state_->shared, std::move(content), options->type, std::move(token)));
}

awaitable<std::vector<dry_run_file_info>> client::snapshot_download_dry_run(
    std::string repo_id, named<snapshot_download_options> options) {
  return detail::operation(
      transfer::snapshot_download_dry_run(state_->shared, std::move(repo_id), *std::move(options)));
}

awaitable<repo_url> client::create_repo(std::string repo_id, named<create_repo_options> options) {
  return detail::operation(
      repository::create(state_->shared, std::move(repo_id), *std::move(options)));
}

awaitable<repo_url> client::duplicate_repo(std::string from_id, std::string to_id,
                                           named<duplicate_repo_options> options) {
  return detail::operation(repository::duplicate(state_->shared, std::move(from_id),
                                                 std::move(to_id), *std::move(options)));
}

awaitable<void> client::delete_repo(std::string repo_id, named<delete_repo_options> options) {
  return detail::operation(
      repository::remove(state_->shared, std::move(repo_id), *std::move(options)));
}

awaitable<repo_info> client::repo_info(std::string repo_id, named<repo_info_options> options) {
  return detail::operation(
      transfer::fetch_repo_info(state_->shared, std::move(repo_id), *std::move(options)));
}

awaitable<void> client::move_repo(std::string from_id, std::string to_id,
                                  named<move_repo_options> options) {
  return detail::operation(
      repository::move(state_->shared, std::move(from_id), std::move(to_id), *std::move(options)));
}

awaitable<void> client::update_repo_settings(std::string repo_id,
                                             named<update_repo_settings_options> options) {
  return detail::operation(
      repository::update_settings(state_->shared, std::move(repo_id), *std::move(options)));
}

awaitable<bool> client::repo_exists(std::string repo_id, named<repo_exists_options> options) {
  return detail::operation(
      repository::exists(state_->shared, std::move(repo_id), *std::move(options)));
}

awaitable<std::string> client::resolve_revision(std::string repo_id,
                                                named<resolve_revision_options> options) {
  return detail::operation(
      transfer::resolve_revision(state_->shared, std::move(repo_id), *std::move(options)));
}

awaitable<bool> client::revision_exists(std::string repo_id, std::string revision,
                                        named<revision_exists_options> options) {
  return detail::operation(repository::has_revision(state_->shared, std::move(repo_id),
                                                    std::move(revision), *std::move(options)));
}

awaitable<void> client::auth_check(std::string repo_id, named<auth_check_options> options) {
  return detail::operation(
      repository::auth_check(state_->shared, std::move(repo_id), *std::move(options)));
}

awaitable<std::string> client::get_full_repo_name(std::string name,
                                                  named<get_full_repo_name_options> options) {
  return detail::operation(
      repository::full_name(state_->shared, std::move(name), *std::move(options)));
}

listing<repo_storage_info> client::list_user_repos(named<list_user_repos_options> options) {
  return repository::list_own(state_->shared, *std::move(options));
}

listing<lfs_file_info> client::list_lfs_files(std::string repo_id,
                                              named<list_lfs_files_options> options) {
  return repository::list_lfs_files(state_->shared, std::move(repo_id), *std::move(options));
}

awaitable<void> client::permanently_delete_lfs_files(
    std::string repo_id, std::vector<lfs_file_info> files,
    named<permanently_delete_lfs_files_options> options) {
  return detail::operation(repository::delete_lfs_files(state_->shared, std::move(repo_id),
                                                        std::move(files), *std::move(options)));
}

awaitable<std::vector<tree_entry>> client::get_paths_info(std::string repo_id,
                                                          std::vector<std::string> paths,
                                                          named<get_paths_info_options> options) {
  return detail::operation(transfer::get_paths_info(state_->shared, std::move(repo_id),
                                                    std::move(paths), *std::move(options)));
}

awaitable<git_refs> client::list_repo_refs(std::string repo_id,
                                           named<list_repo_refs_options> options) {
  return detail::operation(
      repository::list_refs(state_->shared, std::move(repo_id), *std::move(options)));
}

listing<git_commit_info> client::list_repo_commits(std::string repo_id,
                                                   named<list_repo_commits_options> options) {
  return repository::list_commits(state_->shared, std::move(repo_id), *std::move(options));
}

awaitable<std::string> client::get_commit_diff(std::string repo_id, std::string from,
                                               std::string to,
                                               named<get_commit_diff_options> options) {
  return detail::operation(repository::commit_diff(
      state_->shared, std::move(repo_id), std::move(from), std::move(to), *std::move(options)));
}

awaitable<void> client::create_branch(std::string repo_id, std::string branch,
                                      named<create_branch_options> options) {
  return detail::operation(repository::create_branch(state_->shared, std::move(repo_id),
                                                     std::move(branch), *std::move(options)));
}

awaitable<void> client::delete_branch(std::string repo_id, std::string branch,
                                      named<delete_branch_options> options) {
  return detail::operation(repository::delete_branch(state_->shared, std::move(repo_id),
                                                     std::move(branch), *std::move(options)));
}

awaitable<void> client::create_tag(std::string repo_id, std::string tag,
                                   named<create_tag_options> options) {
  return detail::operation(repository::create_tag(state_->shared, std::move(repo_id),
                                                  std::move(tag), *std::move(options)));
}

awaitable<void> client::delete_tag(std::string repo_id, std::string tag,
                                   named<delete_tag_options> options) {
  return detail::operation(repository::delete_tag(state_->shared, std::move(repo_id),
                                                  std::move(tag), *std::move(options)));
}

awaitable<repo_info> client::model_info(std::string repo_id, named<repo_info_options> options) {
  auto of = *std::move(options);
  of.type = repo_type::model;
  return repo_info(std::move(repo_id), of);
}

awaitable<repo_info> client::dataset_info(std::string repo_id, named<repo_info_options> options) {
  auto of = *std::move(options);
  of.type = repo_type::dataset;
  return repo_info(std::move(repo_id), of);
}

awaitable<repo_info> client::space_info(std::string repo_id, named<repo_info_options> options) {
  auto of = *std::move(options);
  of.type = repo_type::space;
  return repo_info(std::move(repo_id), of);
}

listing<repo_info> client::list_models(named<list_repos_options> options) {
  return repository::list_repos(state_->shared, repo_type::model, *std::move(options));
}

listing<repo_info> client::list_datasets(named<list_repos_options> options) {
  return repository::list_repos(state_->shared, repo_type::dataset, *std::move(options));
}

listing<repo_info> client::list_spaces(named<list_repos_options> options) {
  return repository::list_repos(state_->shared, repo_type::space, *std::move(options));
}

awaitable<void> client::super_squash_history(std::string repo_id,
                                             named<super_squash_history_options> options) {
  return detail::operation(
      repository::super_squash(state_->shared, std::move(repo_id), *std::move(options)));
}

listing<discussion> client::get_repo_discussions(std::string repo_id,
                                                 named<get_repo_discussions_options> options) {
  return repository::list_discussions(state_->shared, std::move(repo_id), *std::move(options));
}

awaitable<discussion_with_details> client::get_discussion_details(
    std::string repo_id, std::uint64_t num, named<discussion_options> options) {
  return detail::operation(
      repository::get_discussion(state_->shared, std::move(repo_id), num, *std::move(options)));
}

awaitable<discussion_with_details> client::create_discussion(
    std::string repo_id, std::string title, named<create_discussion_options> options) {
  return detail::operation(repository::create_discussion(state_->shared, std::move(repo_id),
                                                         std::move(title), *std::move(options)));
}

awaitable<discussion_with_details> client::create_pull_request(
    std::string repo_id, std::string title, named<create_discussion_options> options) {
  auto of = *std::move(options);
  of.pull_request = true;
  return create_discussion(std::move(repo_id), std::move(title), of);
}

awaitable<discussion_event> client::comment_discussion(std::string repo_id, std::uint64_t num,
                                                       std::string comment,
                                                       named<discussion_options> options) {
  return detail::operation(repository::change_discussion(
      state_->shared, std::move(repo_id), num,
      repository::comment_on(std::move(comment), *std::move(options))));
}

awaitable<discussion_event> client::edit_discussion_comment(std::string repo_id, std::uint64_t num,
                                                            std::string comment_id,
                                                            std::string new_content,
                                                            named<discussion_options> options) {
  return detail::operation(repository::change_discussion(
      state_->shared, std::move(repo_id), num,
      repository::edit_comment(comment_id, std::move(new_content), *std::move(options))));
}

awaitable<discussion_event> client::hide_discussion_comment(std::string repo_id, std::uint64_t num,
                                                            std::string comment_id,
                                                            named<discussion_options> options) {
  return detail::operation(
      repository::change_discussion(state_->shared, std::move(repo_id), num,
                                    repository::hide_comment(comment_id, *std::move(options))));
}

awaitable<discussion_event> client::rename_discussion(std::string repo_id, std::uint64_t num,
                                                      std::string new_title,
                                                      named<discussion_options> options) {
  return detail::operation(
      repository::change_discussion(state_->shared, std::move(repo_id), num,
                                    repository::rename(std::move(new_title), *std::move(options))));
}

awaitable<discussion_event> client::change_discussion_status(
    std::string repo_id, std::uint64_t num, std::string new_status,
    named<change_discussion_status_options> options) {
  return detail::operation(repository::change_discussion(
      state_->shared, std::move(repo_id), num,
      repository::change_status(std::move(new_status), *std::move(options))));
}

awaitable<discussion_event> client::merge_pull_request(std::string repo_id, std::uint64_t num,
                                                       named<merge_pull_request_options> options) {
  return detail::operation(repository::change_discussion(state_->shared, std::move(repo_id), num,
                                                         repository::merge(*std::move(options))));
}

listing<access_request> client::list_pending_access_requests(
    std::string repo_id, named<access_request_options> options) {
  return repository::list_access_requests(state_->shared, std::move(repo_id), "pending",
                                          *std::move(options));
}

listing<access_request> client::list_accepted_access_requests(
    std::string repo_id, named<access_request_options> options) {
  return repository::list_access_requests(state_->shared, std::move(repo_id), "accepted",
                                          *std::move(options));
}

listing<access_request> client::list_rejected_access_requests(
    std::string repo_id, named<access_request_options> options) {
  return repository::list_access_requests(state_->shared, std::move(repo_id), "rejected",
                                          *std::move(options));
}

namespace {

/// Those options for a decision that has no reason.
reject_access_request_options without_reason(access_request_options options) {
  reject_access_request_options of;
  of.type = options.type;
  of.token = std::move(options.token);
  return of;
}

}  // namespace

awaitable<void> client::accept_access_request(std::string repo_id, std::string user,
                                              named<access_request_options> options) {
  return detail::operation(repository::handle_access_request(state_->shared, std::move(repo_id),
                                                             std::move(user), "accepted",
                                                             without_reason(*std::move(options))));
}

awaitable<void> client::reject_access_request(std::string repo_id, std::string user,
                                              named<reject_access_request_options> options) {
  return detail::operation(repository::handle_access_request(
      state_->shared, std::move(repo_id), std::move(user), "rejected", *std::move(options)));
}

awaitable<void> client::cancel_access_request(std::string repo_id, std::string user,
                                              named<access_request_options> options) {
  return detail::operation(repository::handle_access_request(state_->shared, std::move(repo_id),
                                                             std::move(user), "pending",
                                                             without_reason(*std::move(options))));
}

awaitable<void> client::grant_access(std::string repo_id, std::string user,
                                     named<access_request_options> options) {
  return detail::operation(repository::handle_access_request(state_->shared, std::move(repo_id),
                                                             std::move(user), {},
                                                             without_reason(*std::move(options))));
}

listing<tree_entry> client::list_repo_tree(std::string repo_id,
                                           named<list_repo_tree_options> options) {
  return transfer::list_repo_tree(state_->shared, std::move(repo_id), *std::move(options));
}

listing<std::string> client::list_repo_files(std::string repo_id,
                                             named<list_repo_files_options> options) {
  return repository::list_files(state_->shared, std::move(repo_id), *std::move(options));
}

awaitable<bool> client::file_exists(std::string repo_id, std::string path,
                                    named<file_exists_options> options) {
  return detail::operation(repository::has_file(state_->shared, std::move(repo_id), std::move(path),
                                                *std::move(options)));
}

awaitable<commit_info> client::create_commit(std::string repo_id,
                                             std::vector<commit_operation> operations,
                                             std::string commit_message,
                                             named<create_commit_options> options) {
  return detail::operation(transfer::create_commit(state_->shared, std::move(repo_id),
                                                   std::move(operations), std::move(commit_message),
                                                   *std::move(options)));
}

awaitable<commit_info> client::upload_file(std::filesystem::path file, std::string path_in_repo,
                                           std::string repo_id,
                                           named<upload_file_options> options) {
  return detail::operation(transfer::upload_file(state_->shared, std::move(file),
                                                 std::move(path_in_repo), std::move(repo_id),
                                                 *std::move(options)));
}

awaitable<commit_info> client::upload_file(commit_operation_add::bytes content,
                                           std::string path_in_repo, std::string repo_id,
                                           named<upload_file_options> options) {
  return detail::operation(transfer::upload_file(state_->shared, std::move(content),
                                                 std::move(path_in_repo), std::move(repo_id),
                                                 *std::move(options)));
}

awaitable<commit_info> client::upload_file(std::shared_ptr<upload_source> content,
                                           std::string path_in_repo, std::string repo_id,
                                           named<upload_file_options> options) {
  return detail::operation(transfer::upload_file(state_->shared, std::move(content),
                                                 std::move(path_in_repo), std::move(repo_id),
                                                 *std::move(options)));
}

awaitable<commit_info> client::upload_folder(std::filesystem::path folder, std::string repo_id,
                                             named<upload_folder_options> options) {
  return detail::operation(transfer::upload_folder(state_->shared, std::move(folder),
                                                   std::move(repo_id), *std::move(options)));
}

awaitable<upload_large_folder_info> client::upload_large_folder(
    std::filesystem::path folder, std::string repo_id, named<upload_large_folder_options> options) {
  return detail::operation(repository::upload_large_folder(
      state_->shared, std::move(folder), std::move(repo_id), *std::move(options)));
}

awaitable<commit_info> client::delete_file(std::string path_in_repo, std::string repo_id,
                                           named<delete_file_options> options) {
  return detail::operation(transfer::delete_path(state_->shared, std::move(path_in_repo), false,
                                                 std::move(repo_id), *std::move(options)));
}

awaitable<commit_info> client::delete_folder(std::string path_in_repo, std::string repo_id,
                                             named<delete_file_options> options) {
  return detail::operation(transfer::delete_path(state_->shared, std::move(path_in_repo), true,
                                                 std::move(repo_id), *std::move(options)));
}

awaitable<commit_info> client::delete_files(std::string repo_id, std::vector<std::string> patterns,
                                            named<delete_file_options> options) {
  return detail::operation(transfer::delete_files(state_->shared, std::move(repo_id),
                                                  std::move(patterns), *std::move(options)));
}

awaitable<user_info> client::whoami(named<whoami_options> options) {
  return detail::operation(repository::whoami(state_->shared, *std::move(options)));
}

awaitable<cache_info> client::scan_cache_dir(named<scan_cache_dir_options> options) {
  return detail::operation(cache_operations::scan(state_->shared, *std::move(options)));
}

awaitable<delete_cache_result> client::execute(delete_cache_strategy strategy) {
  return detail::operation(cache_operations::execute(state_->shared, std::move(strategy)));
}

awaitable<folder_verification> client::verify_repo_checksums(
    std::string repo_id, named<verify_repo_checksums_options> options) {
  return detail::operation(
      transfer::verify_repo_checksums(state_->shared, std::move(repo_id), *std::move(options)));
}

}  // namespace cohub
