#pragma once

#include <filesystem>
#include <vector>

/// What is in folders, for deciding what may be deleted: what cannot be looked at is an error,
/// never taken for nothing.
namespace cohub::server {

/// The paths of what is in a folder; none where there is no such folder.
/// @throws error  the system's code
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);

/// @throws error  the system's code
bool is_there(const std::filesystem::path& path);

}  // namespace cohub::server
