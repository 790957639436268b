#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client.hpp"
#include "cohub/commit.hpp"
#include "cohub/pretrained.hpp"
#include "cohub/save_sink.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace cohub::model {

/// What goes into a commit, and what it is a part of.
struct staged_model {
  std::filesystem::path folder{};
  std::vector<commit_operation> streamed{};  ///< beside the folder, as far as the patterns keep it
  std::set<std::string> streamed_names{};    ///< of all that could have been
  bool removes_old = true;                   ///< no other process sees to it
};

/// Has what was handed over streamed into the commit.
staged_model stream_files(asio::any_io_executor pool, save_sink& sink,
                          const push_to_hub_options& options);

/// Commits it, with what `delete_patterns` name and the weights that it stands for removed.
awaitable<commit_info> upload_staged(client hub, std::string repo_id, staged_model model,
                                     push_to_hub_options options);

}  // namespace cohub::model
