#pragma once

#include "io/file.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace cohub::server {

/// Replaces `path` by `content`, readable by its owner alone. Synced: it survives a crash of the
/// machine. What is not finished lies in `temporary`, on the same file system.
void write_private_file(const std::filesystem::path& path, std::string_view content,
                        const std::filesystem::path& temporary);

/// So many random bytes, from the generator meant for keys.
std::string random_bytes(std::size_t count);

/// Keeps other processes out of a folder as long as it lives; released by the system if the process
/// dies.
class folder_lock {
 public:
  /// @throws error  another process holds it, or the file system has no locks
  explicit folder_lock(const std::filesystem::path& folder);

 private:
  io::file file_;
};

}  // namespace cohub::server
