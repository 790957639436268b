#include "transfer/folder/upload_large_folder.hpp"

#include "cohub/error.hpp"

#include "core/digest.hpp"
#include "core/glob.hpp"
#include "core/throw_system.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "io/file_identity.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "transfer/commit/commit_delivery.hpp"
#include "transfer/commit/commit_preparation.hpp"
#include "transfer/commit/create_commit.hpp"
#include "transfer/folder/folder_batches.hpp"
#include "transfer/folder/folder_listing.hpp"
#include "transfer/folder/folder_run.hpp"
#include "transfer/folder/large_folder_record.hpp"
#include "transfer/report_event.hpp"
#include "transfer/tree_listing.hpp"
#include "transfer/upload/upload_journal.hpp"

#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

/// Which repository it is, and where the branch is.
awaitable<void> find_branch(folder_run_ptr run) {
  repo_info_options options;
  options.type = run->options.type;
  options.revision = run->options.revision;
  options.expand.emplace_back("sha");  // else all files come with it
  options.expand.emplace_back("createdAt");
  options.token = run->options.token;
  const auto repo = co_await fetch_repo_info(run->shared, run->repo_id, std::move(options));
  const auto described = hub::parse_json(repo.json);
  std::string id;
  if (described && described->is_object()) id = hub::text_or(described->get_object(), "_id");
  run->repository = core::sha256_hex(id + '\n' + repo.created_at).substr(0, 32);
  run->head = repo.sha;
  run->heads.insert(repo.sha);
}

/// Lists the folder, and leaves out what an earlier run has committed.
awaitable<void> find_files(folder_run_ptr run, std::filesystem::path folder) {
  auto filter = core::upload_filter(run->options.allow_patterns, run->options.ignore_patterns);
  const std::string of_repository = run->shared->endpoint + '\n' +
                                    std::string(hub::plural(run->options.type)) + '\n' +
                                    run->repo_id + '\n' + run->options.revision;
  auto work = [run, named = std::move(folder), filter = std::move(filter),
               of_repository](const std::stop_token& stop) {
    // However it is spelt, it is the same folder.
    std::error_code failure;
    const auto root = std::filesystem::weakly_canonical(named, failure);
    if (failure) core::throw_system(failure.value(), "reading the folder", named);
    run->record = std::make_shared<large_folder_record>(
        run->shared->journal->folder(), root.string() + '\n' + of_repository, run->branch());
    std::uint64_t bytes = 0;
    for (auto& found : list_committable(root, filter, run->listener, stop)) {
      io::throw_if_stopped(stop);
      auto identity = find_listed_file(*run, found.path, found.relative);
      if (!identity) continue;
      ++run->info.files;
      file_to_send file;
      file.identity = std::move(*identity);
      file.path_in_repo = std::move(found.relative);
      if (run->record->holds(file.identity)) {
        ++run->info.unchanged;
        continue;
      }
      bytes += file.identity.size;
      run->files.push_back(std::move(file));
    }
    run->total->announce(run->files.size(), bytes);
  };
  co_await io::on_pool(run->shared->pool, std::move(work));
}

/// Notes that the files of a commit are there.
/// @param head  where the branch is with them
awaitable<void> note_commit(folder_run_ptr run, commit_ptr commit, std::string head) {
  if (!commit->head.empty() && !run->heads.contains(commit->head)) {
    // Somebody else's: what was prepared at older ones must be looked at again.
    run->alone = false;
    run->heads = {commit->head};
  }
  run->heads.insert(head);
  run->head = std::move(head);
  std::vector<io::file_identity> done;
  for (const auto& add : commit->plan->adds) {
    if (add.ignored)
      ++run->info.ignored;
    else if (add.unchanged)
      ++run->info.unchanged;
    else
      ++run->info.committed;
    if (!add.ignored && add.content->is_settled()) done.push_back(*add.content->identity());
  }
  auto note = [record = run->record, done = std::move(done), now = run->branch()] {
    record->add(done, now);
  };
  co_await io::on_pool(run->shared->pool, std::move(note));
}

/// Files [begin, end) of a prepared commit as a commit of their own, which is to be prepared again:
/// what failed may have been made after all, or be made yet.
commit_ptr part_of(const folder_run& run, const commit_in_progress& whole, std::size_t begin,
                   std::size_t end) {
  auto part = begin_commit(run.shared, whole.repo_id, whole.message, whole.options);
  part->plan = std::make_shared<commit_plan>();
  const auto& adds = whole.plan->adds;
  part->plan->adds.assign(adds.begin() + static_cast<std::ptrdiff_t>(begin),
                          adds.begin() + static_cast<std::ptrdiff_t>(end));
  part->total = whole.total;
  return part;
}

/// The files of a prepared commit, to be begun anew: what failed may have been made after all.
std::vector<commit_operation> files_of(const commit_in_progress& commit) {
  std::vector<commit_operation> operations;
  for (const auto& planned : commit.plan->adds) {
    commit_operation_add add;
    add.path_in_repo = planned.path;
    add.content = std::filesystem::path(planned.content->identity()->path);
    operations.emplace_back(std::move(add));
  }
  return operations;
}

/// Whether a smaller commit may succeed where this one did not.
bool is_too_much(const error& failure) {
  return failure.code() == errc::server_failure || failure.code() == errc::timed_out ||
         failure.code() == errc::truncated_body || failure.http().status == 413;
}

/// Makes the commit on condition that nobody else has moved the branch; where somebody has, it is
/// looked at again first. What comes too late of an earlier try moves it, too.
awaitable<commit_info> deliver(folder_run_ptr run, commit_ptr commit) {
  const bool is_news = !commit->head.empty() && !run->heads.contains(commit->head);
  commit->options.parent_commit = is_news ? commit->head : run->head;
  commit->options.rebase = true;
  return deliver_commit(run->shared, std::move(commit));
}

/// A commit that is yet to be made.
struct pending_commit {
  commit_ptr commit{};
  bool is_prepared = false;
};

pending_commit pending(commit_ptr commit, bool is_prepared) {
  pending_commit one;
  one.commit = std::move(commit);
  one.is_prepared = is_prepared;
  return one;
}

/// Delivers a commit, unless nothing of it is left.
/// @return where the branch is with it
awaitable<std::string> deliver_and_tell(folder_run_ptr run, commit_ptr commit) {
  if (commit->plan->empty()) co_return run->head;
  const auto begin = std::chrono::steady_clock::now();
  auto made = co_await deliver(run, commit);
  run->info.oid = made.oid;
  if (!made.unchanged) ++run->info.commits;
  report_event(commit->observer, transfer_event::kind::committed, {}, made.oid);
  run->size.made(commit->plan->adds.size(), std::chrono::steady_clock::now() - begin);
  co_return std::move(made.oid);
}

awaitable<void> make_commit(folder_run_ptr run, commit_ptr commit) {
  std::vector<pending_commit> todo(1, pending(std::move(commit), true));
  std::size_t openings = 1;
  while (!todo.empty()) {
    const auto next = std::move(todo.back().commit);
    bool is_prepared = todo.back().is_prepared;
    todo.pop_back();
    std::exception_ptr failure;
    bool split = false;
    bool disturbed = false;
    std::string head;
    try {
      if (!is_prepared) {
        co_await prepare_commit(run->shared, next);
        is_prepared = true;
      }
      head = co_await deliver_and_tell(run, next);
    } catch (const error& e) {
      failure = std::current_exception();
      split = is_prepared && is_too_much(e) && run->size.failed(next->plan->adds.size());
      disturbed = is_disturbed(e) && ++openings <= most_openings;
    }
    if (failure && !split && !disturbed) std::rethrow_exception(failure);
    if (disturbed) {
      auto anew = co_await prepare_files(run, files_of(*next), next);
      todo.push_back(pending(std::move(anew), true));
      continue;
    }
    if (split) {
      const std::size_t count = next->plan->adds.size();
      todo.push_back(pending(part_of(*run, *next, count / 2, count), false));
      todo.push_back(pending(part_of(*run, *next, 0, count / 2), false));
      report_event(next->observer, transfer_event::kind::retry, {},
                   "a commit of " + std::to_string(count) + " files failed: making two of it");
      continue;
    }
    co_await note_commit(run, next, head);
  }
}

awaitable<void> make_commits(folder_run_ptr run) {
  for (;;) {
    auto commit = co_await run->prepared.pop();
    if (!commit) co_return;
    co_await make_commit(run, std::move(*commit));
  }
}

}  // namespace

awaitable<upload_large_folder_info> upload_large_folder(context_ptr shared,
                                                        std::filesystem::path folder,
                                                        std::string repo_id,
                                                        upload_large_folder_options options) {
  auto run = std::make_shared<folder_run>(std::move(shared), std::move(repo_id), std::move(options),
                                          co_await asio::this_coro::executor);
  run->total = std::make_shared<upload_total>(run->shared->totals->of(
      run->shared->observer_for(run->options.observer), transfer_progress::direction::upload));
  co_await find_branch(run);
  co_await find_files(run, std::move(folder));
  auto work = [run](std::size_t task) {
    return task < run->preparers ? prepare_commits(run) : make_commits(run);
  };
  const std::size_t tasks = run->preparers + 1;
  co_await io::for_each_bounded(tasks, tasks, work);
  co_return run->info;
}

}  // namespace cohub::transfer
