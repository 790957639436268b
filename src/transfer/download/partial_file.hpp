#pragma once

#include "core/byte_range.hpp"
#include "io/file.hpp"
#include "transfer/download/range_set.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace cohub::transfer {

/// A file that arrives in pieces, with a journal of what is there: another process continues it
/// after this one was killed. Blocking, for the pool; several threads may write at once.
///
/// Names no other client opens: `<stem>.cohub.partial` and `<stem>.cohub.journal`. The partial is
/// locked while it is open; if somebody else has it (where the lock around the download excludes
/// nobody), this one gets names of its own, which nobody continues.
///
/// The journal is true after a process was killed. After the machine went down it may name bytes
/// that never reached the disk. Where the etag is a checksum, they are trusted all the same: most
/// of them are there, and if one is not, the checksum fails and the content is fetched anew, which
/// is what distrust would cost each time. Where the etag is opaque, only a journal of this run of
/// the machine is trusted.
class partial_file {
 public:
  /// Opens or continues. The disk must have room for what is missing.
  /// @throws error  the system's code: no room, no permission
  /// @param save_period  beyond which no bytes stay out of the journal while others come
  partial_file(const std::filesystem::path& stem, std::uint64_t size, std::string etag,
               std::chrono::steady_clock::duration save_period = std::chrono::seconds(1));
  partial_file(partial_file&&) = delete;
  ~partial_file();

  const std::filesystem::path& path() const noexcept { return content_.path(); }
  const io::file& content() const noexcept { return content_; }

  /// Writes what is not there yet: two connections may bring the same bytes, and a checksum that
  /// has seen the first ones must not be of others than are on the disk. False if some were there.
  bool write(std::uint64_t offset, std::span<const std::byte> bytes);

  range_set done() const;
  /// How much of the file is there without a gap. Never waits for the disk.
  std::uint64_t front() const noexcept { return front_; }

  /// Forgets what is there: all is fetched again.
  void restart();
  /// Forgets what is there behind the first gap; how many bytes that are.
  std::uint64_t forget_beyond_front();
  /// Makes the journal say all that is known.
  void save();
  /// Closes the finished file and moves it to its place; the journal goes.
  /// @throws error  the system's code: some file systems tell at the closing what was lost
  void publish(const std::filesystem::path& destination,
               io::durability survives = io::durability::process);
  /// Removes both.
  void discard() noexcept;

 private:
  void open(const std::filesystem::path& stem);
  void load_journal();
  void begin_journal();
  std::vector<core::byte_range> missing(core::byte_range within) const;
  void note_written(const std::vector<core::byte_range>& ranges);
  void note_front() noexcept;
  void save_unsaved();
  void check_room() const;

  std::uint64_t size_;
  std::string etag_;
  std::chrono::steady_clock::duration save_period_;
  io::file content_{};
  io::file journal_{};
  // Guards all below but what `mutex_` does, and is held while the disk is written to.
  std::mutex turn_to_write_;
  range_set unsaved_{};
  std::uint64_t unsaved_bytes_ = 0;
  std::chrono::steady_clock::time_point saved_at_ = std::chrono::steady_clock::now();
  std::uint64_t journal_end_ = 0;
  mutable std::mutex mutex_;  // taken after the other, and never for long
  range_set done_{};
  std::atomic<std::uint64_t> front_{0};
  bool own_name_ = false;  // unique to this process: of no use to another
  bool gone_ = false;      // published or discarded
};

/// Free bytes for this user where `path` (which exists) lies; the largest number where that is not
/// known.
std::uint64_t free_disk_bytes(const std::filesystem::path& path);

}  // namespace cohub::transfer
