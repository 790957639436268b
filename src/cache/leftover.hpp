#pragma once

#include "cohub/cache.hpp"

#include <sys/stat.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// Names under which interrupted operations leave files behind (hub-protocol, sections 4.3
/// and 4.5).
namespace cohub::cache {

/// What a file in `blobs/` is, if it is no blob.
std::optional<cached_incomplete_file_info::kind> leftover_kind(std::string_view name) noexcept;

/// "<ref>.<8 hex>.tmp": a ref that the Python client was writing.
bool is_temporary_ref(std::string_view name) noexcept;

/// The etag under whose lock such a file is written; nothing where the name does not tell.
std::optional<std::string> etag_of_leftover(std::string_view name);

/// Whether nobody can still be writing a file whose writer holds no lock on it.
bool is_stale(const struct stat& status, std::chrono::system_clock::time_point now) noexcept;

/// Bytes on the disk: a partial has its whole length from the start, but not the content.
std::uint64_t allocated_bytes(const struct stat& status) noexcept;

std::chrono::system_clock::time_point time_of(const struct timespec& time) noexcept;

}  // namespace cohub::cache
