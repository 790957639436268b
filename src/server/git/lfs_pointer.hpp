#pragma once

#include "server/git/git_handle.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cohub::server {

/// The git blob that stands for a large object.
struct lfs_pointer {
  std::string sha256{};
  std::uint64_t size = 0;
};

/// Blobs that are larger are no pointers.
inline constexpr std::uint64_t lfs_pointer_limit = 1024;

std::string write_lfs_pointer(const lfs_pointer& pointer);
/// Nothing if `blob` is not a pointer.
std::optional<lfs_pointer> read_lfs_pointer(std::string_view blob);
/// The same of a blob of a repository, which is not read if it is too large for one.
std::optional<lfs_pointer> find_lfs_pointer(git_odb* objects, const git_oid& blob);

}  // namespace cohub::server
