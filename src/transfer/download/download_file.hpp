#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/download.hpp"

#include "transfer/context.hpp"
#include "transfer/download/file_head.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace cohub::transfer {

/// `client::download_file`: into the shared cache (hub-protocol, section 4.4) or a local folder
/// (section 4.7).
/// @param known  facts from a listing, which make the question for the file unnecessary
awaitable<std::filesystem::path> download_file(context_ptr shared, std::string repo_id,
                                               std::string path, download_options options,
                                               std::optional<file_facts> known = std::nullopt);

/// `client::download_file_dry_run`.
/// @param known  as above, for a local folder
awaitable<dry_run_file_info> download_file_dry_run(context_ptr shared, std::string repo_id,
                                                   std::string path, download_options options,
                                                   std::optional<file_facts> known = std::nullopt);

/// `client::try_to_load_from_cache`.
awaitable<cached_file> try_to_load_from_cache(context_ptr shared, std::string repo_id,
                                              std::string path,
                                              try_to_load_from_cache_options options);

}  // namespace cohub::transfer
