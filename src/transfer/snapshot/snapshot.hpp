#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/download.hpp"

#include "transfer/context.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace cohub::transfer {

/// `client::snapshot_download` (hub-protocol, section 5). The listing brings size and etag of each
/// file, so that a file costs one request; a commit that is there already costs none.
awaitable<std::filesystem::path> snapshot_download(context_ptr shared, std::string repo_id,
                                                   snapshot_download_options options);

/// `client::snapshot_download_dry_run`.
awaitable<std::vector<dry_run_file_info>> snapshot_download_dry_run(
    context_ptr shared, std::string repo_id, snapshot_download_options options);

}  // namespace cohub::transfer
