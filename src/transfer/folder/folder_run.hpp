#pragma once

#include "cohub/commit.hpp"
#include "cohub/observer.hpp"

#include "io/file_identity.hpp"
#include "transfer/bounded_queue.hpp"
#include "transfer/context.hpp"
#include "transfer/folder/commit_size.hpp"
#include "transfer/folder/large_folder_record.hpp"
#include "transfer/upload/commit_in_progress.hpp"
#include "transfer/upload_total.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace cohub::transfer {

struct file_to_send {
  std::string path_in_repo{};
  io::file_identity identity{};
};

/// One call of `upload_large_folder`, a pipeline: prepare commits, make them in turn. Shared by its
/// coroutines.
struct folder_run {
  static constexpr std::size_t most_preparing = 2;

  folder_run(context_ptr with, std::string of, upload_large_folder_options given,
             asio::any_io_executor executor)
      : shared(std::move(with)),
        repo_id(std::move(of)),
        options(std::move(given)),
        listener(shared->listener_for(options.observer)),
        preparers(std::clamp<std::size_t>(options.num_workers, 1, most_preparing)),
        preparing(preparers),
        prepared(std::move(executor), 1) {}

  /// Where others move the branch, they may have deleted what was committed before: the next run
  /// asks again.
  branch_state branch() const { return {repository, alone ? head : std::string()}; }

  context_ptr shared;
  std::string repo_id;
  upload_large_folder_options options;
  std::shared_ptr<cohub::observer> listener;  ///< as `context::listener_for`
  std::size_t preparers;                      ///< commits prepared at once
  std::size_t preparing;                      ///< at work
  std::shared_ptr<upload_total> total{};
  std::string repository{};                 ///< tells it from others of its name
  std::string head{};                       ///< of the branch, as far as this run knows
  std::unordered_set<std::string> heads{};  ///< that it had
  bool alone = true;                        ///< nobody else was seen to move it
  std::shared_ptr<large_folder_record> record{};
  std::vector<file_to_send> files{};
  std::size_t next = 0;  ///< of them
  commit_size size{};
  bounded_queue<commit_ptr> prepared;
  upload_large_folder_info info{};
};
using folder_run_ptr = std::shared_ptr<folder_run>;

}  // namespace cohub::transfer
