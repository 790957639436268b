#include "transfer/commit/create_commit.hpp"

#include "cohub/error.hpp"

#include "hub/repo_id.hpp"
#include "hub/routes.hpp"
#include "hub/utf8.hpp"
#include "transfer/commit/commit_delivery.hpp"
#include "transfer/commit/commit_lookup.hpp"
#include "transfer/commit/commit_preparation.hpp"

#include <memory>
#include <utility>

namespace cohub::transfer {

namespace {

void check_arguments(const commit_in_progress& commit) {
  const auto& options = commit.options;
  if (const auto valid = hub::check_repo_id(commit.repo_id); !valid)
    throw error(valid.error(), "committing to \"" + commit.repo_id + "\"");
  if (commit.message.empty()) throw error(errc::invalid_argument, "a commit needs a message");
  if (hub::find_invalid_utf8(commit.message) || hub::find_invalid_utf8(options.commit_description))
    throw error(errc::invalid_argument, "the message of a commit must be UTF-8 text");
  if (options.create_pr && options.revision != "main")
    throw error(
        errc::invalid_argument,
        "a pull request is opened against main: create_pr and a revision exclude each other");
  if (!options.parent_commit.empty() && !hub::is_commit_prefix(options.parent_commit))
    throw error(errc::invalid_argument, "parent_commit is 5 to 40 hex digits");
}

awaitable<commit_info> run(context_ptr shared, commit_ptr commit,
                           std::vector<commit_operation> operations) {
  check_arguments(*commit);
  co_await open_commit(shared, commit, std::move(operations));
  co_await prepare_commit(shared, commit);
  auto ending = commit->plan->empty() ? find_head(shared, commit) : deliver_commit(shared, commit);
  auto info = co_await std::move(ending);
  info.repo_id = commit->repo_id;
  info.repo_url = hub::routes::repo_page(shared->endpoint, commit->options.type, commit->repo_id);
  info.commit_message = commit->message;
  info.commit_description = commit->options.commit_description;
  for (const auto& add : commit->plan->adds)
    if (add.ignored) info.ignored.push_back(add.path);
  co_return info;
}

}  // namespace

commit_ptr begin_commit(const context_ptr& shared, std::string repo_id, std::string message,
                        create_commit_options options) {
  auto commit = std::make_shared<commit_in_progress>();
  commit->repo_id = std::move(repo_id);
  commit->message = std::move(message);
  commit->token = shared->token_for(options.token);
  commit->observer = shared->listener_for(options.observer);
  commit->total = std::make_shared<upload_total>(shared->totals->of(
      shared->observer_for(options.observer), transfer_progress::direction::upload));
  commit->options = std::move(options);
  return commit;
}

awaitable<commit_info> create_commit(context_ptr shared, std::string repo_id,
                                     std::vector<commit_operation> operations, std::string message,
                                     create_commit_options options, deletions which) {
  auto commit = begin_commit(shared, std::move(repo_id), std::move(message), std::move(options));
  commit->lists_deletions = which == deletions::listed;
  co_return co_await run(std::move(shared), std::move(commit), std::move(operations));
}

}  // namespace cohub::transfer
