#pragma once

#include "cohub/awaitable.hpp"

#include "transfer/context.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

/// Work on whole files of any size: many short jobs of the pool, so that a cancellation ends it
/// with the piece at work.
namespace cohub::transfer {

/// What one job of the pool hashes or copies at most.
inline constexpr std::uint64_t whole_file_piece = 8u << 20;

/// The sha256 of a file, in lower-case hex.
/// @throws error  the system's code
awaitable<std::string> hash_whole(context_ptr shared, std::filesystem::path file);

/// Copies a file to `temporary`, which does not exist, and moves it to `destination` once it is
/// whole. The temporary goes after any failure.
/// @throws error  the system's code
awaitable<void> copy_whole(context_ptr shared, std::filesystem::path from,
                           std::filesystem::path temporary, std::filesystem::path destination);

}  // namespace cohub::transfer
