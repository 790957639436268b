#pragma once

#include "cohub/commit.hpp"

#include "transfer/context.hpp"

#include <filesystem>
#include <string>

namespace cohub::transfer {

/// `client::upload_folder`.
awaitable<commit_info> upload_folder(context_ptr shared, std::filesystem::path folder,
                                     std::string repo_id, upload_folder_options options);

/// `client::upload_file`.
awaitable<commit_info> upload_file(context_ptr shared, decltype(commit_operation_add::content) file,
                                   std::string path_in_repo, std::string repo_id,
                                   upload_file_options options);

}  // namespace cohub::transfer
