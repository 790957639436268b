#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/download.hpp"

#include "transfer/download/file_head.hpp"
#include "transfer/download/file_request.hpp"

#include <filesystem>
#include <optional>

/// Files in a folder of the caller's (hub-protocol, section 4.7).
namespace cohub::transfer {

/// The file's path in the folder; downloads what is not there or not what the Hub has.
/// @param known  facts from a listing, which make the question for the file unnecessary
awaitable<std::filesystem::path> download_to_local_dir(file_request_ptr file,
                                                       std::optional<file_facts> known);

/// What that would do.
awaitable<dry_run_file_info> plan_for_local_dir(file_request_ptr file,
                                                std::optional<file_facts> known);

}  // namespace cohub::transfer
