#pragma once

#include <filesystem>

namespace cohub::server {

/// Waits until all that was written to the file system of `path`, a folder, is on disk.
void sync_file_system_of(const std::filesystem::path& path);

/// Copies a folder with all below it. Files of its folders `linked` never change: they get a second
/// name where the file system can do that. Names that begin with "tmp_" are left out, which
/// libgit2 gives to what it is just writing. On disk when it returns.
void copy_folder(const std::filesystem::path& from, const std::filesystem::path& to,
                 std::initializer_list<const char*> linked);

}  // namespace cohub::server
