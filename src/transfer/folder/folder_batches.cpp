#include "transfer/folder/folder_batches.hpp"

#include "io/on_pool.hpp"
#include "transfer/commit/commit_options.hpp"
#include "transfer/commit/commit_preparation.hpp"
#include "transfer/commit/create_commit.hpp"
#include "transfer/report_event.hpp"
#include "transfer/upload/upload_plan.hpp"

#include <boost/system/errc.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr std::uint64_t regular_bytes = 100u << 20;  // of a commit's small files
constexpr std::uint64_t small_file = 10u << 20;
constexpr auto commit_message = "Add files using upload-large-folder tool";

/// The files of the next commit.
std::vector<commit_operation> take_batch(folder_run& run) {
  std::vector<commit_operation> operations;
  std::uint64_t bytes = 0;
  while (run.next < run.files.size() && operations.size() < run.size.files() &&
         bytes < regular_bytes) {
    const auto& file = run.files[run.next++];
    if (file.identity.size < small_file) bytes += file.identity.size;
    commit_operation_add add;
    add.path_in_repo = file.path_in_repo;
    add.content = std::filesystem::path(file.identity.path);
    operations.emplace_back(std::move(add));
  }
  return operations;
}

/// Leaves out what is gone since the folder was listed, which may be days ago.
awaitable<std::vector<commit_operation>> drop_deleted(folder_run_ptr run,
                                                      std::vector<commit_operation> operations) {
  const std::size_t taken = operations.size();
  auto look = [run, operations = std::move(operations)]() mutable {
    std::erase_if(operations, [&](const commit_operation& each) {
      const auto& add = std::get<commit_operation_add>(each);
      return !find_listed_file(*run, std::get<std::filesystem::path>(add.content),
                               add.path_in_repo);
    });
    return std::move(operations);
  };
  auto left = co_await io::on_pool(run->shared->pool, std::move(look));
  run->info.left_out += taken - left.size();
  co_return left;
}

/// Workers are shared by the commits that are prepared at once.
create_commit_options options_of_batch(const folder_run& run) {
  auto commit = commit_options_of(run.options);
  commit.num_threads = std::max<std::size_t>(1, run.options.num_workers / run.preparers);
  commit.num_hash_threads = std::max<std::size_t>(1, commit.num_threads / 4);
  return commit;
}

/// Leaves out what is not any more as it was when the commit was begun, with a warning.
awaitable<std::vector<commit_operation>> drop_changed(folder_run_ptr run, commit_ptr commit,
                                                      std::vector<commit_operation> operations) {
  const std::size_t taken = operations.size();
  auto look = [run, plan = commit->plan, operations = std::move(operations)]() mutable {
    std::set<std::string> changed;
    for (const auto& add : plan->adds) {
      try {
        if (add.content) add.content->check_unchanged();
      } catch (const error& failure) {
        if (!is_disturbed(failure)) throw;
        report_event(run->listener, transfer_event::kind::warning, add.path,
                     "left out: it does not stay as it is");
        changed.insert(add.path);
      }
    }
    std::erase_if(operations, [&](const commit_operation& each) {
      return changed.contains(std::get<commit_operation_add>(each).path_in_repo);
    });
    return std::move(operations);
  };
  auto left = co_await io::on_pool(run->shared->pool, std::move(look));
  run->info.left_out += taken - left.size();
  co_return left;
}

/// The total knows all files; of those that are begun anew, some are done.
void take_over_counts(const commit_plan& earlier, commit_plan& plan) {
  std::unordered_set<std::string_view> counted;
  for (const auto& add : earlier.adds)
    if (add.counted) counted.insert(add.path);
  for (auto& add : plan.adds) add.counted = counted.contains(add.path);
}

}  // namespace

std::optional<io::file_identity> find_listed_file(const folder_run& run,
                                                  const std::filesystem::path& path,
                                                  const std::string& relative) {
  try {
    return io::identify_file(path);
  } catch (const error& failure) {
    if (failure.code() != boost::system::errc::no_such_file_or_directory) throw;
  }
  report_event(run.listener, transfer_event::kind::warning, relative,
               "left out: it was deleted meanwhile");
  return {};
}

bool is_disturbed(const error& failure) {
  return failure.code() == errc::content_mismatch ||
         failure.code() == boost::system::errc::no_such_file_or_directory;
}

awaitable<commit_ptr> prepare_files(folder_run_ptr run, std::vector<commit_operation> operations,
                                    commit_ptr earlier) {
  for (std::size_t tries = 1;; ++tries) {
    operations = co_await drop_deleted(run, std::move(operations));
    auto commit = begin_commit(run->shared, run->repo_id, commit_message, options_of_batch(*run));
    std::exception_ptr failure;
    try {
      co_await open_commit(run->shared, commit, operations);
      commit->total = run->total;
      for (auto& add : commit->plan->adds) add.announced = true;
      if (earlier) take_over_counts(*earlier->plan, *commit->plan);
      earlier = commit;
      co_await prepare_commit(run->shared, commit);
    } catch (const error& e) {
      if (!is_disturbed(e) || tries == 2 * most_openings) throw;
      failure = std::current_exception();
    }
    if (!failure) co_return commit;
    if (tries < most_openings) continue;
    operations = co_await drop_changed(run, commit, std::move(operations));
  }
}

awaitable<void> prepare_commits(folder_run_ptr run) {
  for (;;) {
    auto operations = take_batch(*run);
    if (operations.empty()) break;
    auto preparing = prepare_files(run, std::move(operations), nullptr);
    auto commit = co_await std::move(preparing);
    co_await run->prepared.push(std::move(commit));
  }
  if (--run->preparing == 0) run->prepared.close();
}

}  // namespace cohub::transfer
