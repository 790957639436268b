#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

/// Locks that exclude other processes, the Python client's among them (hub-protocol, section 4.6).
///
/// They save work, no more: on some network file systems everybody gets them. What is guarded must
/// also be right without (own temporary names, checked content, atomic renames).
namespace cohub::cache {

/// What locks an open file: `flock`, or what a test puts in its place.
using lock_call = int (*)(int descriptor, int operation);

/// A lock on a file, until the object goes. The file stays.
class file_lock {
 public:
  file_lock() = default;
  file_lock(file_lock&& other) noexcept;
  file_lock& operator=(file_lock&& other) noexcept;
  ~file_lock();

  /// False where the file system has no such locks: the work goes on without.
  bool held() const noexcept { return descriptor_ >= 0; }

 private:
  friend std::optional<file_lock> try_lock_file(const std::filesystem::path& path, lock_call call);
  friend std::optional<file_lock> try_share_file(const std::filesystem::path& path);
  static std::optional<file_lock> attempt(const std::filesystem::path& path, lock_call call,
                                          int operation);
  explicit file_lock(int descriptor) noexcept : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

/// One try at an exclusive lock, which does not wait: nothing if somebody else holds the lock. The
/// folder must exist. Where the file system has no locks (network file systems say so in many ways)
/// the result holds none.
/// @throws error  the lock file cannot be opened
std::optional<file_lock> try_lock_file(const std::filesystem::path& path);
std::optional<file_lock> try_lock_file(const std::filesystem::path& path, lock_call call);

/// The same, but others may have the lock as well who ask for it in this way; `try_lock_file` gets
/// none meanwhile.
std::optional<file_lock> try_share_file(const std::filesystem::path& path);

/// Keeps others from a file that is about to appear, as a lock does, but makes no lock file where
/// there is none: that costs as much as a small file. Whoever wants to act on such a file makes its
/// lock file first, and looks at what is there afterwards. So if there still is none once all is in
/// place, whoever comes sees all of it.
class appearance_lock {
 public:
  /// Nothing if somebody else holds the lock. The folder must exist.
  static std::optional<appearance_lock> attempt(const std::filesystem::path& path);

  /// When all is in place: false if somebody may have acted on less.
  bool undisturbed() const;

 private:
  appearance_lock(std::filesystem::path path, file_lock lock, bool made) noexcept
      : path_(std::move(path)), lock_(std::move(lock)), is_made_(made) {}

  std::filesystem::path path_;
  file_lock lock_;
  bool is_made_ = false;  // there was a lock file
};

/// Called each time that a lock has been waited for another `patience`.
struct lock_watch {
  std::function<void(std::chrono::seconds waited)> still_waiting{};
  std::chrono::milliseconds patience{10'000};
};

/// Waits until the lock is free, however long; tries again every 5 to 50 ms, and the tries run on
/// `pool`.
awaitable<file_lock> lock_file(asio::any_io_executor pool, std::filesystem::path path);
awaitable<file_lock> lock_file(asio::any_io_executor pool, std::filesystem::path path,
                               lock_watch watch);

}  // namespace cohub::cache
