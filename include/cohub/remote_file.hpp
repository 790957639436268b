#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/observer.hpp"
#include "cohub/repository.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace cohub {

namespace detail {
struct remote_file_state;
}

struct open_file_options {
  repo_type type = repo_type::model;
  std::string revision = "main";       ///< branch, tag, `refs/pr/N` or commit
  std::string subfolder{};             ///< put in front of the path
  std::filesystem::path cache_dir{};   ///< looked into first; empty: the client's
  bool local_files_only = false;       ///< open what is cached; no request
  std::optional<std::string> token{};  ///< unset: the client's; "" sends none

  /// Most bytes that sequential reads fetch in advance, taken from the client's buffer budget as
  /// far as that has them to spare. 0: none; then reads fetch what they need, at least 64 KiB.
  std::uint64_t read_ahead = 8u << 20;
  /// Ranged requests in flight, of the read-ahead or of one `read_at`.
  std::size_t connections = 4;
  /// Most bytes that are read and dropped to reach an offset, where the server sends the whole
  /// content whatever range is asked for.
  std::uint64_t max_read_through = 16u << 20;
  std::shared_ptr<cohub::observer> observer{};  ///< of retries; null: the client's
};

struct read_file_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::string subfolder{};
  std::filesystem::path cache_dir{};
  bool local_files_only = false;
  std::optional<std::string> token{};
  std::uint64_t max_bytes = 16u << 20;  ///< a larger file is an error, told before it is fetched
  std::shared_ptr<cohub::observer> observer{};
};

/// A file on the Hub that is read where it is, without a copy on disk: in any order by `read_at`,
/// or in sequence by `read` and `seek`.
///
/// All reads see the one commit that the revision named when the file was opened. A dropped
/// connection is taken up at the byte where it broke, and an address that expired is asked for
/// anew; a content that changes all the same is an error, never a mixture. A file that is complete
/// in the cache is read from there, without a request. Parts of a file have no checksum: only
/// `client::download_file` and `client::read_file` verify one.
///
/// Where the server ignores ranges, reading in sequence costs one connection that stays open
/// between the reads; `read_at` and `seek` read through what lies before, at most
/// `max_read_through` bytes of it.
///
/// @par Threads
/// Those of the client: one executor, one thing at a time. As with every I/O object, its context
/// must outlive it.
/// @par Memory   the read-ahead, or 64 KiB; `read_at` receives straight into the caller's memory
/// @par Cancellation
/// A read that was cancelled or failed has not moved the position; the file can be read on. What it
/// was to fill is unspecified then.
/// @par Mirrors  HfFileSystem.open(), HfFileSystemFile
class remote_file {
 public:
  /// No file: may only be assigned to.
  remote_file() noexcept = default;
  explicit remote_file(std::shared_ptr<detail::remote_file_state> state) noexcept;
  remote_file(remote_file&&) noexcept = default;
  remote_file& operator=(remote_file&&) noexcept = default;
  /// Stops what is fetched in advance. A read in progress still ends as it should.
  ~remote_file() = default;

  explicit operator bool() const noexcept { return state_ != nullptr; }
  const std::string& path() const noexcept;    ///< in the repository
  const std::string& commit() const noexcept;  ///< 40 hex digits: what the revision named
  /// sha256 of a large file, git blob id of another, without quotes; empty for a cached file that
  /// does not tell.
  const std::string& etag() const noexcept;
  std::uint64_t size() const noexcept;  ///< in bytes
  bool is_local() const noexcept;       ///< it is read from the cache

  /// Fills `into`, which outlives the operation, from `offset`; fewer bytes only where the file
  /// ends. Several may be in flight at once; a large one is fetched in parallel ranges.
  /// @return bytes read; 0 from the end of the file on
  /// @throws error  errc::content_mismatch, errc::truncated_body, errc::timed_out,
  ///                errc::invalid_response; errc::ranges_unsupported: `offset` is beyond
  ///                `max_read_through` on a server without ranges; what the Hub says
  awaitable<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const;

  /// The same at the position, which moves on; one at a time. Reading on fetches in advance: little
  /// at first, up to `read_ahead` as reading in sequence goes on.
  /// @throws error  as `read_at`; errc::invalid_argument: another `read` is in flight
  awaitable<std::size_t> read(std::span<std::byte> into);

  std::uint64_t position() const noexcept;
  /// Moves the position, also beyond the end; not while a `read` is in flight. What was fetched in
  /// advance is kept as far as it lies ahead of the new position.
  /// @throws error  errc::invalid_argument: a `read` is in flight
  void seek(std::uint64_t position);

 private:
  std::shared_ptr<detail::remote_file_state> state_{};
};

}  // namespace cohub
