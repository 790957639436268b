#pragma once

#include "core/digest.hpp"
#include "hub/file_metadata.hpp"
#include "io/file.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace cohub::transfer {

/// The checksum of a file that arrives in pieces out of order: it follows the contiguous front.
/// Blocking, for the pool; several threads may feed at once.
class front_digest {
 public:
  /// What is read back from the file at a time, at most.
  static constexpr std::size_t piece_size = 256 * 1024;

  /// The etag's kind decides: the sha256, the git blob id, or nothing for an opaque one.
  front_digest(hub::etag_kind kind, std::uint64_t size);

  /// False where there is no checksum to compare with: then it never follows.
  bool active() const noexcept { return kind_ != hub::etag_kind::opaque; }
  /// How much has been digested.
  std::uint64_t front() const noexcept { return front_; }

  /// Takes bytes that lie exactly at the front, while they are still in a buffer; otherwise, or if
  /// another thread is digesting, false, and `catch_up` reads them back later.
  bool feed(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Digests from the file up to `end`, by way of `room`: at least one piece, and no more once it
  /// is later than `until`.
  /// @throws error  errc::content_mismatch if the file is shorter
  void catch_up(const io::file& content, std::uint64_t end,
                std::chrono::steady_clock::time_point until, std::span<std::byte> room);

  /// Begins anew.
  void restart();
  /// Lower-case hex. Once, after everything was digested.
  std::string hex();

 private:
  core::digest& digest();

  hub::etag_kind kind_;
  std::uint64_t size_;
  std::mutex mutex_;
  std::atomic<std::uint64_t> front_{0};
  std::optional<core::digest> digest_{};  // from its first use on: small content has its own
};

/// A digest of that kind; nothing for an opaque etag.
std::optional<core::digest> digest_for(hub::etag_kind kind, std::uint64_t size);

}  // namespace cohub::transfer
