#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/download.hpp"

#include "transfer/context.hpp"
#include "transfer/file_head.hpp"

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

}  // namespace cohub::transfer
