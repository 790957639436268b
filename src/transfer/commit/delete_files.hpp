#pragma once

#include "cohub/commit.hpp"

#include "transfer/context.hpp"

#include <string>
#include <vector>

namespace cohub::transfer {

/// `client::delete_file`, `client::delete_folder`.
awaitable<commit_info> delete_path(context_ptr shared, std::string path, bool is_folder,
                                   std::string repo_id, delete_file_options options);

/// `client::delete_files`.
awaitable<commit_info> delete_files(context_ptr shared, std::string repo_id,
                                    std::vector<std::string> patterns, delete_file_options options);

}  // namespace cohub::transfer
