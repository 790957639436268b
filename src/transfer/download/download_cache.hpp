#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/download.hpp"

#include "transfer/download/file_head.hpp"
#include "transfer/download/file_request.hpp"

#include <filesystem>
#include <optional>

/// Files in the shared cache (hub-protocol, section 4.4).
namespace cohub::transfer {

/// The file's path in a snapshot; downloads what is not there.
/// @param known  facts from a listing, which make the question for the file unnecessary
awaitable<std::filesystem::path> download_to_cache(file_request_ptr file,
                                                   std::optional<file_facts> known);

/// What that would do.
awaitable<dry_run_file_info> plan_for_cache(file_request_ptr file);

}  // namespace cohub::transfer
