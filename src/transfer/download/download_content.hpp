#pragma once

#include "cohub/awaitable.hpp"

#include "core/url.hpp"
#include "http/fields.hpp"
#include "transfer/context.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace cohub::transfer {

/// One file's content on the Hub, and what is promised of it.
struct content_description {
  std::string name{};                 ///< path in the repository, for errors and observers
  core::url resolve{};                ///< on the Hub, pinned to a commit
  std::optional<core::url> location;  ///< where a HEAD said that the bytes are
  http::fields credentials{};         ///< for the Hub's origin alone
  std::uint64_t size = 0;             ///< in bytes
  std::string etag{};                 ///< normalised; a sha256 or git blob id is checked
};

/// Ranges of fewer bytes cost more to ask for than they are worth.
inline constexpr std::uint64_t smallest_chunk = 64 * 1024;

struct content_settings {
  std::size_t connections = 16;  ///< the most ranged requests in flight; not zero
  /// Bytes of one ranged request, at least `smallest_chunk`; zero: adapts.
  std::uint64_t chunk_size = 0;
  std::shared_ptr<cohub::observer> observer{};
  bool afresh = false;  ///< what an earlier download left is not continued
  /// Called on the pool just before the content gets its place, which what it throws prevents.
  std::function<void()> before_placing{};
};

/// Downloads, verifies, and only then moves the content to `destination`, replacing what is there.
///
/// More than one chunk comes in parallel ranges where the server honours them, else as one stream.
/// A partial file stays beside `partial_stem` when the download fails or is cancelled or killed,
/// and the next call continues it. The caller keeps other processes out (a lock); without, only
/// bandwidth is lost. Memory: a buffer of 512 KiB for each thread of the pool, whatever the number
/// of connections; content of up to 512 KiB is held whole, within the client's budget.
///
/// @param partial_stem  path that temporary names are made from by adding to it; its folder exists
///                      and lies on the file system of `destination`
/// @throws error  errc::content_mismatch after the download was repeated once, truncated_body,
///                invalid_response; what the Hub or the network says; the system's code
awaitable<void> download_content(context_ptr shared, content_description what,
                                 std::filesystem::path partial_stem,
                                 std::filesystem::path destination, content_settings settings);

/// Content of a small file, whole, within the client's budget for buffers.
struct small_content {
  io::fair_semaphore::permit permit{};
  std::shared_ptr<std::byte[]> bytes{};
  std::size_t size = 0;

  std::span<const std::byte> span() const noexcept { return {bytes.get(), size}; }
};

/// Content of at most so many bytes is received into memory, checked, and written at once.
inline constexpr std::size_t small_size = 512 * 1024;

/// Receives content of at most `small_size` bytes, which is yet to be checked; of none, nothing is
/// asked for.
/// @throws error  as `download_content`
awaitable<small_content> receive_small(context_ptr shared, content_description what,
                                       content_settings settings);

/// Compares bytes with what their etag promises. Blocking.
/// @throws error  errc::content_mismatch
void check_small(const std::string& name, const std::string& etag,
                 std::span<const std::byte> bytes);

/// The same, and then gives them their place. Blocking.
/// @param temporaries  a folder on the file system of `destination`
/// @throws error  errc::content_mismatch, the system's code
void place_small(const std::string& name, const std::string& etag, std::span<const std::byte> bytes,
                 const std::filesystem::path& destination,
                 const std::filesystem::path& temporaries);

}  // namespace cohub::transfer
