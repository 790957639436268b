#pragma once

#include <chrono>
#include <filesystem>

namespace cohub::cache {

/// Nobody takes so long to write a small file or a link, whatever the clocks of those who share a
/// file system say.
inline constexpr std::chrono::hours leftover_age{1};

/// Removes temporaries of ours (`io::temporary_name`) from `folder` that are older: a
/// process was killed while it wrote them. Looks at that one folder; failures are of no
/// consequence. Blocks.
void sweep_temporaries(const std::filesystem::path& folder) noexcept;

}  // namespace cohub::cache
