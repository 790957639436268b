#pragma once

#include "cohub/access_request.hpp"
#include "cohub/awaitable.hpp"
#include "cohub/cache.hpp"
#include "cohub/client_config.hpp"
#include "cohub/commit.hpp"
#include "cohub/discussion.hpp"
#include "cohub/download.hpp"
#include "cohub/error.hpp"
#include "cohub/listing.hpp"
#include "cohub/named.hpp"
#include "cohub/refs.hpp"
#include "cohub/remote_file.hpp"
#include "cohub/repository.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace cohub {

class client;

namespace detail {
struct client_state;
/// Who hears of an operation: its own observer, else the client's, and the log. May be null.
std::shared_ptr<observer> listener_of(const client& hub, const std::shared_ptr<observer>& own = {});
/// Tells the client's observer and log of something odd.
void tell_warning(const client& hub, const std::string& file, const std::string& what);
}  // namespace detail

/// A handle to one Hub endpoint. Cheap to copy; copies share connections, cache and settings.
///
/// @par Threads
/// A client and all its operations, and what they return that reads on, belong to the one executor
/// that the client was made with, which runs one thing at a time: an `io_context` run by one
/// thread, or a strand. An operation may outlive the client it was called on. The client, and what
/// its operations return that reads on, go before the `io_context` or pool that runs them.
/// @par Errors
/// Operations throw `cohub::error`. Those of the network (a host that is not found, a refused
/// connection, `errc::certificate_rejected`, `errc::timed_out`), of the Hub (`errc::unauthorized`,
/// `errc::rate_limited`, `errc::server_failure`) and `errc::invalid_repository_id` can come from
/// each of them; what is listed below comes on top.
/// @par Cancellation
/// Every operation can be cancelled (terminal or partial) through Asio's cancellation slots, and
/// then throws `boost::system::system_error` with `operation_aborted`. For that it resets the
/// cancellation state of the coroutine that awaits it, which Asio keeps for a whole chain of
/// awaits: whoever has set one of its own (`disable_cancellation`) spawns the operation, `co_await
/// co_spawn(executor, hub.whoami(), use_awaitable)`.
class client {
 public:
  /// Reads the token that is kept on this machine, a small file, unless `client_config::token` or
  /// the environment gives one: this alone blocks.
  /// @throws error  errc::invalid_url, errc::invalid_argument: what the configuration must not
  ///                have; a thread_pool without a strand
  explicit client(asio::any_io_executor executor, named<client_config> config = {});

  /// A client that shares everything with this one, and tells the Hub that a library asks: "name/
  /// version" in front of the user agent. An empty version is left out.
  client identified_as(std::string library_name, std::string library_version = {}) const;

  /// The endpoint in use, without a final '/'.
  const std::string& endpoint() const noexcept;
  /// The cache in use.
  const std::filesystem::path& cache_dir() const noexcept;
  /// Whether every request is refused (`client_config::offline`).
  /// @par Mirrors  is_offline_mode()
  bool is_offline() const noexcept;
  /// Where operations run.
  asio::any_io_executor get_executor() const noexcept;
  /// Where blocking work runs: files, digests, plain hooks of a model.
  asio::any_io_executor blocking_executor() const noexcept;
  /// Who is told of operations that name no observer; null: nobody.
  const std::shared_ptr<cohub::observer>& default_observer() const noexcept;

  /// Closes the connections that no operation uses, of all clients that share them with this one.
  /// They are kept for 30 seconds after their last use, but looked at only when another connection
  /// is wanted: a server that will not ask the Hub for long lets them go so.
  void close_idle_connections() noexcept;

  /// Downloads one file into the cache, or to `local_dir`, and yields its path there.
  ///
  /// A file of more than one chunk is fetched in parallel ranges and checked against its sha256; a
  /// partial file left by an earlier attempt is continued, not fetched again. When the Hub cannot
  /// be reached, or refuses the repository, a cached file is returned. Memory: a buffer of 512 KiB
  /// for each thread that works, whatever the size of the file; up to 512 KiB are held whole,
  /// within `client_config::buffer_budget`. At most 64 files of a client are open at once: others
  /// wait for their turn. Calls that want the same content in the same place at the same time share
  /// one download: each gets its result or its failure, and each one's observer hears of it.
  ///
  /// @param repo_id  "owner/name"
  /// @param path     path of the file within the repository
  /// @throws error  errc::repository_not_found, errc::revision_not_found, errc::entry_not_found,
  ///                errc::content_mismatch, errc::truncated_body, errc::proxy_failure;
  ///                errc::local_entry_not_found: nothing is cached, and the Hub was not asked, was
  ///                not reached, or answered by 403, 429, 5xx or the like (see `error::http()`)
  /// @par Cancellation  the partial file stays and can be continued; others who wait for the same
  ///                    download are not disturbed
  /// @par Mirrors  hf_hub_download(); HEAD and GET /{repo}/resolve/{revision}/{path}
  awaitable<std::filesystem::path> download_file(std::string repo_id, std::string path,
                                                 named<download_options> options = {});

  /// What `download_file` with these options would do: asks the Hub as it does, and neither fetches
  /// content nor writes anything. Fails as it does where there is no answer.
  /// @par Mirrors  hf_hub_download(dry_run=True), under another name since the result has another
  ///               type. Unlike there, a changed local file counts as one that will be downloaded.
  awaitable<dry_run_file_info> download_file_dry_run(std::string repo_id, std::string path,
                                                     named<download_options> options = {});

  /// Looks for a file in the cache; no request. A file that its commit is known not to have is told
  /// apart from one that nothing is known of.
  /// @throws error  errc::invalid_repository_id, errc::invalid_path
  /// @par Mirrors  try_to_load_from_cache()
  awaitable<cached_file> try_to_load_from_cache(std::string repo_id, std::string path,
                                                named<try_to_load_from_cache_options> options = {});

  /// Downloads all files of a revision that the patterns keep, and yields the folder they are in:
  /// the snapshot in the cache, or `local_dir`. Every file comes from the one commit that the
  /// revision named at the start. The first failure stops the rest; finished files stay. Memory:
  /// the listing, some hundred bytes a file, which is kept for the next time; content as above.
  ///
  /// In the cache, what somebody else deletes meanwhile is fetched anew. Where the Hub cannot be
  /// asked, a snapshot that is complete by its kept listing stands in.
  /// @throws error  as `download_file`; errc::incomplete_snapshot: files of it are missing, and
  ///                the Hub cannot be asked or they keep disappearing
  /// @par Cancellation  as of `download_file`, for every file
  /// @par Mirrors  snapshot_download()
  awaitable<std::filesystem::path> snapshot_download(std::string repo_id,
                                                     named<snapshot_download_options> options = {});

  /// What a snapshot would download: one entry for each file that the patterns keep, in the order
  /// of the listing. Nothing is downloaded, and nothing on disk changes.
  /// @throws error  as `snapshot_download`; without an answer of the Hub there is no plan
  /// @par Cancellation  leaves nothing
  /// @par Mirrors  snapshot_download(dry_run=True), under another name for the same reason
  awaitable<std::vector<dry_run_file_info>> snapshot_download_dry_run(
      std::string repo_id, named<snapshot_download_options> options = {});

  /// Opens a file for reading where it is, without downloading it: see `remote_file`.
  /// @throws error  errc::repository_not_found, errc::revision_not_found, errc::entry_not_found,
  ///                errc::local_entry_not_found
  /// @par Mirrors  HfFileSystem.open(); HEAD /{repo}/resolve/{revision}/{path}
  awaitable<remote_file> open_file(std::string repo_id, std::string path,
                                   named<open_file_options> options = {});

  /// The whole content of a small file, checked as that of a download is, and not put into the
  /// cache. Memory: the content.
  /// @throws error  as `open_file` and `remote_file::read_at`; the system's `file_too_large`: it
  ///                has more than `max_bytes`
  /// @par Mirrors  HfFileSystem.read_text(), HfFileSystem.cat_file()
  awaitable<std::string> read_file(std::string repo_id, std::string path,
                                   named<read_file_options> options = {});

  /// Creates a repository; a bare name is put under the token's owner. While the Hub is busy with
  /// another one of the same owner, it is asked again, as `client_config::retries` say.
  /// @throws error  errc::conflict if it exists, unless `exist_ok`
  /// @par Mirrors  create_repo(); POST /api/repos/create
  awaitable<repo_url> create_repo(std::string repo_id, named<create_repo_options> options = {});

  /// Copies a repository with its history and large files, on the Hub.
  /// @param to_id  what the copy is called; empty: the same name, under the token's owner; a bare
  ///               name: under the token's owner
  /// @throws error  errc::repository_not_found; errc::conflict if the copy's name is taken, unless
  ///                `exist_ok`
  /// @par Mirrors  duplicate_repo(); POST /api/{type}/{repo}/duplicate
  awaitable<repo_url> duplicate_repo(std::string from_id, std::string to_id = {},
                                     named<duplicate_repo_options> options = {});

  /// Deletes a repository with all its history. There is no way back.
  /// @throws error  errc::repository_not_found, unless `missing_ok`
  /// @par Mirrors  delete_repo(); DELETE /api/repos/delete
  awaitable<void> delete_repo(std::string repo_id, named<delete_repo_options> options = {});

  /// What the Hub tells of a repository at a revision: its owner and tags, who may see it, its
  /// files, or what `repo_info_options::expand` names.
  /// @throws error  errc::repository_not_found, errc::revision_not_found
  /// @par Mirrors  repo_info(); GET /api/{type}/{repo}[/revision/{revision}]
  awaitable<cohub::repo_info> repo_info(std::string repo_id, named<repo_info_options> options = {});

  /// The same of a model, a dataset or a space; `repo_info_options::type` does not matter.
  /// @par Mirrors  model_info(), dataset_info(), space_info()
  awaitable<cohub::repo_info> model_info(std::string repo_id,
                                         named<repo_info_options> options = {});
  awaitable<cohub::repo_info> dataset_info(std::string repo_id,
                                           named<repo_info_options> options = {});
  awaitable<cohub::repo_info> space_info(std::string repo_id,
                                         named<repo_info_options> options = {});

  /// The repositories that the options want; pages are fetched as the listing is consumed, and
  /// errors surface there.
  /// @par Mirrors  list_models(), list_datasets(), list_spaces(); GET /api/models
  listing<cohub::repo_info> list_models(named<list_repos_options> options = {});
  listing<cohub::repo_info> list_datasets(named<list_repos_options> options = {});
  listing<cohub::repo_info> list_spaces(named<list_repos_options> options = {});

  /// Renames a repository or gives it to another owner; the old name redirects to the new one.
  /// @throws error  errc::repository_not_found, errc::forbidden; errc::conflict: the new name is
  ///                taken
  /// @par Mirrors  move_repo(); POST /api/repos/move
  awaitable<void> move_repo(std::string from_id, std::string to_id,
                            named<move_repo_options> options = {});

  /// Changes who may see a repository or download from it.
  /// @throws error  errc::invalid_argument: nothing to change; errc::repository_not_found,
  ///                errc::forbidden
  /// @par Mirrors  update_repo_settings(); PUT /api/{type}/{repo}/settings
  awaitable<void> update_repo_settings(std::string repo_id,
                                       named<update_repo_settings_options> options);

  /// Whether a repository is there and may be seen; one that is gated is.
  /// @par Mirrors  repo_exists()
  awaitable<bool> repo_exists(std::string repo_id, named<repo_exists_options> options = {});

  /// Whether a repository has that branch, tag or commit.
  /// @par Mirrors  revision_exists()
  awaitable<bool> revision_exists(std::string repo_id, std::string revision,
                                  named<revision_exists_options> options = {});

  /// The commit that a revision names now, which the cache notes as its ref. Where the Hub is not
  /// reached, or fails (5xx), the ref answers, if there is one. A full commit id is not asked for.
  /// @return 40 hex digits
  /// @throws error  errc::repository_not_found, errc::revision_not_found
  /// @par Mirrors  resolve_revision(); GET /api/{type}/{repo}/revision/{revision}
  awaitable<std::string> resolve_revision(std::string repo_id,
                                          named<resolve_revision_options> options = {});

  /// Whether the token gives access to what a repository holds: returns if it does.
  /// @throws error  errc::repository_not_found, errc::gated_repository; errc::forbidden: it may not
  ///                be written to
  /// @par Mirrors  auth_check(); GET /api/{type}/{repo}/auth-check[/write]
  awaitable<void> auth_check(std::string repo_id, named<auth_check_options> options = {});

  /// "owner/name" of a name of one's own.
  /// @throws error  errc::unauthorized
  /// @par Mirrors  get_full_repo_name()
  awaitable<std::string> get_full_repo_name(std::string name,
                                            named<get_full_repo_name_options> options = {});

  /// All repositories of the token's user or of an organisation, of every type, with the room that
  /// they take; pages are fetched as the listing is consumed.
  /// @par Mirrors  list_user_repos(); GET /api/settings/repositories
  listing<repo_storage_info> list_user_repos(named<list_user_repos_options> options = {});

  /// The large objects that a repository holds, in whatever commits; pages are fetched as the
  /// listing is consumed.
  /// @throws error  errc::forbidden: the token may not write to it
  /// @par Mirrors  list_lfs_files(); GET /api/{type}/{repo}/lfs-files
  listing<lfs_file_info> list_lfs_files(std::string repo_id,
                                        named<list_lfs_files_options> options = {});
  /// Deletes large objects from all commits of a repository. There is no way back, and commits get
  /// other ids. A request for every thousand.
  /// @throws error  errc::forbidden
  /// @par Mirrors  permanently_delete_lfs_files(); POST /api/{type}/{repo}/lfs-files/batch
  awaitable<void> permanently_delete_lfs_files(
      std::string repo_id, std::vector<lfs_file_info> files,
      named<permanently_delete_lfs_files_options> options = {});

  /// What is at those paths, files and folders, at one revision; unknown paths are left out. A
  /// request for every thousand.
  /// @throws error  errc::repository_not_found, errc::revision_not_found
  /// @par Mirrors  get_paths_info(); POST /api/{type}/{repo}/paths-info/{revision}
  awaitable<std::vector<tree_entry>> get_paths_info(std::string repo_id,
                                                    std::vector<std::string> paths,
                                                    named<get_paths_info_options> options = {});

  /// The branches and tags of a repository, and what else its git keeps (pull requests, if asked
  /// for), with the commits that they name.
  /// @throws error  errc::repository_not_found
  /// @par Mirrors  list_repo_refs(); GET /api/{type}/{repo}/refs
  awaitable<git_refs> list_repo_refs(std::string repo_id,
                                     named<list_repo_refs_options> options = {});

  /// The history of a revision, newest first; pages are fetched as the listing is consumed.
  /// @par Mirrors  list_repo_commits(); GET /api/{type}/{repo}/commits/{revision}
  listing<git_commit_info> list_repo_commits(std::string repo_id,
                                             named<list_repo_commits_options> options = {});

  /// What has changed from one revision to another, as `git diff` writes it. Memory: the answer.
  /// @throws error  errc::revision_not_found
  /// @par Mirrors  get_commit_diff() and get_raw_diff() of the Rust client;
  ///               GET /api/{type}/{repo}/compare/{from}..{to}
  awaitable<std::string> get_commit_diff(std::string repo_id, std::string from, std::string to,
                                         named<get_commit_diff_options> options = {});

  /// Makes a branch that begins at a revision, or at the head of the default branch.
  /// @throws error  errc::conflict if it exists, unless `exist_ok`; errc::revision_not_found
  /// @par Mirrors  create_branch(); POST /api/{type}/{repo}/branch/{branch}
  awaitable<void> create_branch(std::string repo_id, std::string branch,
                                named<create_branch_options> options = {});
  /// Deletes a branch; commits that no other ref leads to go with it.
  /// @throws error  errc::revision_not_found: there is no such branch
  /// @par Mirrors  delete_branch(); DELETE /api/{type}/{repo}/branch/{branch}
  awaitable<void> delete_branch(std::string repo_id, std::string branch,
                                named<delete_branch_options> options = {});

  /// Gives a revision a name that stays with its commit.
  /// @throws error  errc::conflict if it exists, unless `exist_ok`; errc::revision_not_found
  /// @par Mirrors  create_tag(); POST /api/{type}/{repo}/tag/{revision}
  awaitable<void> create_tag(std::string repo_id, std::string tag,
                             named<create_tag_options> options = {});
  /// Deletes a tag; the commit stays.
  /// @throws error  errc::revision_not_found: there is no such tag
  /// @par Mirrors  delete_tag(); DELETE /api/{type}/{repo}/tag/{tag}
  awaitable<void> delete_tag(std::string repo_id, std::string tag,
                             named<delete_tag_options> options = {});

  /// Makes one commit of all the history of a branch. There is no way back, and pull requests can
  /// no longer be merged.
  /// @throws error  errc::revision_not_found; errc::bad_request: it is a tag
  /// @par Mirrors  super_squash_history(); POST /api/{type}/{repo}/super-squash/{branch}
  awaitable<void> super_squash_history(std::string repo_id,
                                       named<super_squash_history_options> options = {});

  /// Discussions and pull requests, newest first; pages are fetched as the listing is consumed.
  /// @par Mirrors  get_repo_discussions(); GET /api/{type}/{repo}/discussions
  listing<discussion> get_repo_discussions(std::string repo_id,
                                           named<get_repo_discussions_options> options = {});
  /// One of them, with all that happened in it.
  /// @throws error  here and below, of one that is not there: errc::unexpected_status, with 404;
  ///                errc::repository_not_found; errc::forbidden: that is for others to do
  /// @par Mirrors  get_discussion_details()
  awaitable<discussion_with_details> get_discussion_details(std::string repo_id, std::uint64_t num,
                                                            named<discussion_options> options = {});
  /// Opens a discussion; or a pull request, as a draft to whose `refs/pr/N` commits can go.
  /// @throws error  errc::bad_request: the title has not 3 to 200 characters
  /// @par Mirrors  create_discussion()
  awaitable<discussion_with_details> create_discussion(
      std::string repo_id, std::string title, named<create_discussion_options> options = {});
  /// `create_discussion` of a pull request.
  /// @par Mirrors  create_pull_request()
  awaitable<discussion_with_details> create_pull_request(
      std::string repo_id, std::string title, named<create_discussion_options> options = {});
  /// Adds a comment, in Markdown; yields it as it stands there.
  /// @par Mirrors  comment_discussion()
  awaitable<discussion_event> comment_discussion(std::string repo_id, std::uint64_t num,
                                                 std::string comment,
                                                 named<discussion_options> options = {});
  /// Replaces the text of a comment.
  /// @param comment_id  `discussion_event::id` of the comment
  /// @par Mirrors  edit_discussion_comment()
  awaitable<discussion_event> edit_discussion_comment(std::string repo_id, std::uint64_t num,
                                                      std::string comment_id,
                                                      std::string new_content,
                                                      named<discussion_options> options = {});
  /// Hides a comment for good.
  /// @par Mirrors  hide_discussion_comment()
  awaitable<discussion_event> hide_discussion_comment(std::string repo_id, std::uint64_t num,
                                                      std::string comment_id,
                                                      named<discussion_options> options = {});
  /// Gives one another title.
  /// @throws error  errc::bad_request: the title has not 3 to 200 characters
  /// @par Mirrors  rename_discussion()
  awaitable<discussion_event> rename_discussion(std::string repo_id, std::uint64_t num,
                                                std::string new_title,
                                                named<discussion_options> options = {});
  /// Closes or opens one again.
  /// @param new_status  "open" or "closed"
  /// @par Mirrors  change_discussion_status()
  awaitable<discussion_event> change_discussion_status(
      std::string repo_id, std::uint64_t num, std::string new_status,
      named<change_discussion_status_options> options = {});
  /// Merges a pull request into the branch that it is for, and closes it.
  /// @throws error  errc::conflict: it conflicts with its target
  /// @par Mirrors  merge_pull_request()
  awaitable<discussion_event> merge_pull_request(std::string repo_id, std::uint64_t num,
                                                 named<merge_pull_request_options> options = {});

  /// Who has asked for the contents of a gated repository: those still undecided, those let in, and
  /// those refused; pages are fetched as the listing is consumed.
  /// @throws error  errc::bad_request: the repository is not gated; errc::forbidden
  /// @par Mirrors  list_pending_access_requests(), list_accepted_access_requests(),
  ///               list_rejected_access_requests()
  listing<access_request> list_pending_access_requests(std::string repo_id,
                                                       named<access_request_options> options = {});
  listing<access_request> list_accepted_access_requests(std::string repo_id,
                                                        named<access_request_options> options = {});
  listing<access_request> list_rejected_access_requests(std::string repo_id,
                                                        named<access_request_options> options = {});
  /// Lets in who has asked.
  /// @throws error  errc::bad_request: the repository is not gated; errc::forbidden
  /// @par Mirrors  accept_access_request()
  awaitable<void> accept_access_request(std::string repo_id, std::string user,
                                        named<access_request_options> options = {});
  /// Refuses who has asked, or was let in.
  /// @par Mirrors  reject_access_request()
  awaitable<void> reject_access_request(std::string repo_id, std::string user,
                                        named<reject_access_request_options> options = {});
  /// Takes a decision back: the request is pending again, and its user is not let in.
  /// @par Mirrors  cancel_access_request()
  awaitable<void> cancel_access_request(std::string repo_id, std::string user,
                                        named<access_request_options> options = {});
  /// Lets somebody in who has not asked.
  /// @par Mirrors  grant_access()
  awaitable<void> grant_access(std::string repo_id, std::string user,
                               named<access_request_options> options = {});

  /// The files and folders of a revision; pages are fetched as the listing is consumed, and errors
  /// surface there.
  /// @throws error  errc::repository_not_found, errc::gated_repository, errc::revision_not_found,
  ///                errc::entry_not_found: there is no such folder
  /// @par Mirrors  list_repo_tree(); GET /api/{type}/{repo}/tree/{revision}/{path}
  listing<tree_entry> list_repo_tree(std::string repo_id,
                                     named<list_repo_tree_options> options = {});

  /// The paths of all files of a revision; pages are fetched as the listing is consumed.
  /// @throws error  as `list_repo_tree`
  /// @par Mirrors  list_repo_files()
  listing<std::string> list_repo_files(std::string repo_id,
                                       named<list_repo_files_options> options = {});

  /// Whether a file is there. A repository or revision that is not there has no file either.
  /// @throws error  errc::gated_repository
  /// @par Mirrors  file_exists(); HEAD /{repo}/resolve/{revision}/{path}
  awaitable<bool> file_exists(std::string repo_id, std::string path,
                              named<file_exists_options> options = {});

  /// Makes one commit out of additions, copies and deletions.
  ///
  /// The Hub says which files are large: those are hashed and uploaded first, unless it has them.
  /// Files that are unchanged are left out; if nothing is left, no commit is made
  /// (`commit_info::unchanged`). Memory does not grow with the size of files on disk. A large file
  /// goes in parts where the Hub takes them; killed at any point and called again, it hashes no
  /// unchanged file and sends no finished part a second time (`client_config::upload_state_dir`).
  /// An answer that is lost is looked up in the branch's history before the commit is sent again.
  /// Where others commit meanwhile, what is unchanged is found anew, and it goes on top of theirs.
  ///
  /// @throws error  errc::repository_not_found, errc::revision_not_found, errc::commit_conflict,
  ///                errc::forbidden, errc::invalid_path; errc::entry_not_found: what is to be
  ///                deleted is not there; errc::content_mismatch: a file was changed meanwhile;
  ///                errc::invalid_argument: no message, or one that is not UTF-8, a
  ///                `parent_commit` that is no commit's id, an addition without content;
  ///                errc::bad_request: the Hub finds the metadata of a card wrong;
  ///                errc::invalid_card: a card is not UTF-8; the system's code: a file cannot be
  ///                read
  /// @par Cancellation  leaves no commit, unless it was sent and not answered yet; may leave
  /// uploaded large objects
  /// @par Mirrors  create_commit(); POST /api/{type}/{repo}/commit/{revision}
  awaitable<commit_info> create_commit(std::string repo_id,
                                       std::vector<commit_operation> operations,
                                       std::string commit_message,
                                       named<create_commit_options> options = {});

  /// Has the Hub check the text of a card (`README.md`); yields its warnings. Every commit that has
  /// a card does so before it uploads anything, and tells the warnings to its observer and the log.
  /// @throws error  errc::bad_request: what the Hub finds wrong with the metadata
  /// @par Mirrors  RepoCard.validate(); POST /api/validate-yaml
  awaitable<std::vector<std::string>> validate_card(std::string content,
                                                    named<validate_card_options> options = {});

  /// Commits one file from disk.
  /// @throws error  as `create_commit`; the system's code: there is no such file
  /// @par Cancellation  as of `create_commit`
  /// @par Mirrors  upload_file()
  awaitable<commit_info> upload_file(std::filesystem::path file, std::string path_in_repo,
                                     std::string repo_id, named<upload_file_options> options = {});
  /// Commits bytes as a file. Errors and cancellation are those of `create_commit`, here and below.
  awaitable<commit_info> upload_file(commit_operation_add::bytes content, std::string path_in_repo,
                                     std::string repo_id, named<upload_file_options> options = {});
  /// Commits as a file what a source yields.
  awaitable<commit_info> upload_file(std::shared_ptr<upload_source> content,
                                     std::string path_in_repo, std::string repo_id,
                                     named<upload_file_options> options = {});

  /// Commits the files of a folder that the patterns keep, in one commit; `.git` folders and
  /// `.cache/huggingface` are left out, and what no repository takes (below another `.cache`), of
  /// which the observer hears.
  /// @throws error  as `create_commit`; the system's code: there is no such folder
  /// @par Cancellation  as of `create_commit`
  /// @par Mirrors  upload_folder()
  awaitable<commit_info> upload_folder(std::filesystem::path folder, std::string repo_id,
                                       named<upload_folder_options> options = {});

  /// Uploads a folder of any size in many commits, each as soon as it is full, while the next files
  /// are hashed and sent. What was committed is noted in `client_config::upload_state_dir`: called
  /// again after a crash, it goes on where it stood; files that were changed since are sent anew.
  /// Where the branch has moved by other hands since, or the repository was made anew, the Hub is
  /// asked again which files it has. The repository is made if it is missing. Memory: one entry a
  /// file, and a bounded number of files on their way.
  /// @throws error  as `create_commit`, and what is committed stays; the system's code: there is no
  ///                such folder
  /// @par Cancellation  leaves what is committed, and what the next call needs to go on
  /// @par Mirrors  upload_large_folder(), where the repository comes first
  awaitable<upload_large_folder_info> upload_large_folder(
      std::filesystem::path folder, std::string repo_id,
      named<upload_large_folder_options> options = {});

  /// Deletes one file, in a commit.
  /// @throws error  errc::entry_not_found
  /// @par Mirrors  delete_file()
  awaitable<commit_info> delete_file(std::string path_in_repo, std::string repo_id,
                                     named<delete_file_options> options = {});
  /// Deletes a folder with all that is in it, in a commit.
  /// @throws error  errc::entry_not_found; as `create_commit`
  /// @par Mirrors  delete_folder()
  awaitable<commit_info> delete_folder(std::string path_in_repo, std::string repo_id,
                                       named<delete_file_options> options = {});
  /// Deletes the files that a pattern matches, or that are below a folder named "like/this/", in
  /// one commit; none at all is `commit_info::unchanged`.
  /// @throws error  as `create_commit`
  /// @par Mirrors  delete_files()
  awaitable<commit_info> delete_files(std::string repo_id, std::vector<std::string> patterns,
                                      named<delete_file_options> options = {});

  /// Who the token belongs to. The Hub limits this call strictly; keep the answer.
  /// @throws error  errc::unauthorized, without a request where there is no token
  /// @par Mirrors  whoami(); GET /api/whoami-v2
  awaitable<user_info> whoami(named<whoami_options> options = {});

  /// What is in the cache: repositories, revisions, files, and what interrupted operations left.
  /// What is broken is left out and told as a warning; no request is made. Memory: one entry a
  /// file.
  /// @throws error  errc::local_entry_not_found: there is no cache; errc::invalid_argument: it is
  ///                a file
  /// @par Cancellation  between repositories
  /// @par Mirrors  scan_cache_dir()
  awaitable<cache_info> scan_cache_dir(named<scan_cache_dir_options> options = {});

  /// Deletes from the cache what `cache_info::delete_revisions` or `prune` planned: refs first,
  /// then snapshots, then blobs, so that a kill leaves a valid cache. What another process is
  /// using, what a new snapshot uses again and what lies outside the cache is left alone and
  /// reported, as is what cannot be deleted. A path that is gone already counts as deleted.
  /// @throws error  errc::local_entry_not_found: there is no such cache
  /// @par Cancellation  leaves a valid cache with a part of the plan done
  /// @par Mirrors  DeleteCacheStrategy.execute()
  awaitable<delete_cache_result> execute(delete_cache_strategy strategy);

  /// Compares a cached snapshot, or a local folder, to what the Hub has at that revision: sha256 of
  /// large files, git's blob id of others. Large files are read in pieces.
  /// @throws error  errc::repository_not_found, errc::revision_not_found;
  ///                errc::local_entry_not_found: there is nothing to compare
  /// @par Mirrors  verify_repo_checksums(); GET /api/{type}/{repo}/tree/{revision}
  awaitable<folder_verification> verify_repo_checksums(
      std::string repo_id, named<verify_repo_checksums_options> options = {});

 private:
  friend std::shared_ptr<observer> detail::listener_of(const client& hub,
                                                       const std::shared_ptr<observer>& own);
  std::shared_ptr<detail::client_state> state_;
};

}  // namespace cohub
