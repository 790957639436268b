#pragma once

#include "cohub/client.hpp"
#include "cohub/commit.hpp"
#include "cohub/named.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace cohub {

namespace detail {
struct commit_scheduler_state;
}

struct commit_scheduler_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::string path_in_repo{};  ///< folder in the repository that the watched folder becomes
  std::chrono::steady_clock::duration every = std::chrono::minutes(5);  ///< between looks; 0: none
  std::optional<bool> is_private{};  ///< of a repository that is made; unset: the owner's default
  std::optional<std::vector<std::string>> allow_patterns{};
  std::vector<std::string> ignore_patterns{};
  std::string commit_message{};  ///< of the watched folder; empty: "Scheduled Commit"
  /// Leave one commit of the branch after each that is made: its history is forgotten.
  bool squash_history = false;
  std::optional<std::string> token{};
  /// Hears of `transfer_event::kind::committed` and `commit_failed`; null: the client's.
  std::shared_ptr<cohub::observer> observer{};
  std::string commit_description{};  ///< of the watched folder
};

/// Commits in the background what a program writes while it runs: a training loop its checkpoints,
/// a server its logs.
///
/// Watches a folder, and takes operations handed to it. At most one commit is in flight; what comes
/// meanwhile waits. What fails because of the network, the Hub or the token is tried again at the
/// next look; what can never succeed (a checkpoint that is gone, a path that cannot be) is reported
/// and dropped, so that it keeps nothing else back. Sources and bytes that are handed over are read
/// and held once, however often they are tried. Files of the folder are taken to be append-only: a
/// commit has what was there when it began, so that nobody needs to stop writing. Of a file that is
/// written anew meanwhile, a small one is committed as it is then, a large one at the next look. A
/// file that is deleted stays in the repository.
/// @par Threads  of the client's executor, as the client
class commit_scheduler {
 public:
  /// Begins to watch `folder`, which need not be there yet; empty: nothing is watched. The
  /// repository is made if it is missing, with the first commit; a space runs "gradio".
  commit_scheduler(client hub, std::string repo_id, std::filesystem::path folder = {},
                   named<commit_scheduler_options> options = {});
  commit_scheduler(commit_scheduler&&) noexcept;
  /// Stops the one that was here, as destruction does.
  commit_scheduler& operator=(commit_scheduler&&) noexcept;
  /// Stops at once, without committing what is left: call `stop` for that. Calls that still wait
  /// end as cancelled ones do.
  ~commit_scheduler();

  /// Hands over a commit, and returns without waiting: it is made as soon as no other is in flight.
  /// A thread that trains hands it over by the client's executor, which runs in another one:
  /// `asio::post(hub.get_executor(), ...)`.
  /// @throws error  errc::invalid_argument: `stop` was called
  void push(std::vector<commit_operation> operations, std::string commit_message);
  /// How many commits that were handed over are not made yet.
  std::size_t pending() const noexcept;

  /// Commits now what was handed over and what has changed in the folder.
  /// @return the last commit; `unchanged` where there was nothing to do
  /// @throws error  why it failed, after all else is done; what may yet succeed is kept;
  ///                errc::invalid_argument: `stop` was called
  /// @par Mirrors  CommitScheduler.trigger()
  awaitable<commit_info> trigger();

  /// Commits what is left, and ends. Nothing is committed afterwards.
  /// @throws error  why a commit failed; if what it should have committed may yet succeed, the
  ///                scheduler goes on, and can be stopped again; errc::invalid_argument: it has
  ///                been stopped, or is about to be
  /// @par Cancellation  ends without committing
  awaitable<commit_info> stop();

 private:
  std::shared_ptr<detail::commit_scheduler_state> state_;
};

}  // namespace cohub
