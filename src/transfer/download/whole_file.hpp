#pragma once

#include "cohub/awaitable.hpp"

#include "core/digest.hpp"
#include "hub/file_metadata.hpp"
#include "io/file.hpp"
#include "transfer/context.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

/// Work on whole files of any size: many short jobs of the pool, so that a cancellation ends it
/// with the piece at work.
namespace cohub::transfer {

/// What one job of the pool hashes or copies at most.
inline constexpr std::uint64_t whole_file_piece = 8u << 20;

/// A file whose digest is computed piece by piece. Blocking, for the pool.
class file_hashing {
 public:
  /// @param kind  whose digest: not an opaque one
  file_hashing(const std::filesystem::path& path, hub::etag_kind kind);

  /// Takes up to `whole_file_piece` bytes; false at the end of the file.
  bool step();
  /// In lower-case hex. Once, at the end.
  std::string hex() { return digest_.hex_digest(); }

 private:
  io::file content_;
  core::digest digest_;
  std::uint64_t at_ = 0;
};

/// The digest of a file, in lower-case hex.
/// @param kind  whose digest: not an opaque one
/// @throws error  the system's code
awaitable<std::string> hash_whole(context_ptr shared, std::filesystem::path file,
                                  hub::etag_kind kind = hub::etag_kind::sha256);

/// Copies a file to `temporary`, which does not exist, and moves it to `destination` once it is
/// whole. The temporary goes after any failure.
/// @throws error  the system's code
awaitable<void> copy_whole(context_ptr shared, std::filesystem::path from,
                           std::filesystem::path temporary, std::filesystem::path destination);

}  // namespace cohub::transfer
