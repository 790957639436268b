#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client.hpp"
#include "cohub/commit.hpp"
#include "cohub/commit_scheduler.hpp"
#include "cohub/observer.hpp"

#include "io/file_identity.hpp"

#include <deque>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// What one round of a `commit_scheduler` does.
namespace cohub::detail {

/// What the files were when they were committed last.
using seen_files = std::map<std::string, io::file_identity>;

/// A commit that was handed over: its contents are read once, and shared by all tries.
struct handed_over {
  std::vector<commit_operation> operations{};
  std::string message{};
};

/// What there is to commit, and where; shared by the scheduler and its rounds.
struct scheduled_work {
  scheduled_work(client with, commit_scheduler_options given)
      : hub(std::move(with)),
        options(std::move(given)),
        listener(listener_of(hub, options.observer)) {}

  client hub;
  std::string repo_id{};
  std::filesystem::path folder{};  ///< empty: none is watched
  commit_scheduler_options options;
  std::shared_ptr<cohub::observer> listener;  ///< as `listener_of`
  bool repository_known = false;
  std::deque<handed_over> waiting{};
  seen_files seen{};
  /// Files that no repository takes; used on the pool, by one round at a time.
  std::shared_ptr<std::set<std::string>> left_out = std::make_shared<std::set<std::string>>();
  bool over = false;  ///< no round comes any more, and the one that is going on ends
};
using work_ptr = std::shared_ptr<scheduled_work>;

/// What came of a round.
struct round_result {
  commit_info last{};
  bool made = false;             ///< a commit
  std::exception_ptr failure{};  ///< the first one
  std::exception_ptr dropped{};  ///< why the first that was dropped was
  bool left = false;             ///< something is to be tried again
};

/// Tells the observer of a failure.
void report_failure(const scheduled_work& work, const char* what);

/// Commits all there is: what was handed over, one commit after the other, until one has to be
/// tried again, then what has changed in the folder. `round` is lent by the caller, who awaits this
/// in the same scope.
/// @throws error  the folder cannot be read, or the history not squashed
awaitable<void> commit_all(work_ptr self, round_result& round);

}  // namespace cohub::detail
