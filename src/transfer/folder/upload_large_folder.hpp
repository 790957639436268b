#pragma once

#include "cohub/commit.hpp"

#include "transfer/context.hpp"

#include <filesystem>
#include <string>

namespace cohub::transfer {

/// `client::upload_large_folder`, to a repository that is there.
awaitable<upload_large_folder_info> upload_large_folder(context_ptr shared,
                                                        std::filesystem::path folder,
                                                        std::string repo_id,
                                                        upload_large_folder_options options);

}  // namespace cohub::transfer
