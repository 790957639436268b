#pragma once

#include "io/file.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace cohub::io {

/// What tells whether a file still has the content that it had.
struct file_identity {
  std::string path{};  ///< absolute, in one spelling: "a", "./a" and "b/../a" are the same
  std::uint64_t size = 0;
  std::int64_t modified = 0;  ///< nanoseconds since 1970
  std::int64_t changed = 0;   ///< of the inode: who sets `modified` back does not set this
  std::uint64_t inode = 0;

  friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// Follows symlinks. Blocking.
/// @throws error  the system's code: missing, not reachable; is_a_directory; EINVAL for what is
///                neither file nor folder
file_identity identify_file(const std::filesystem::path& path);

/// @throws error  the system's code: the file is not there for this process to read
void check_readable(const std::filesystem::path& path);

/// Whether nothing was written to it: what changes the inode alone, permissions and further names,
/// leaves the content as it is.
bool has_same_content(const file_identity& a, const file_identity& b) noexcept;

/// The identity of an open file, whatever its path names now. Blocking.
file_identity identify_open_file(const file& opened);

/// Whether it is longer than it was when it was `seen`: as a rule something was appended, but it
/// may also have been written anew.
bool has_grown(const file_identity& now, const file_identity& seen) noexcept;

/// Whether a change after `seen` was taken would be seen: the time stamps of the file are older
/// than the clock's step.
bool is_settled(const file_identity& seen) noexcept;

}  // namespace cohub::io
