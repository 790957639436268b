#include "cache/file_lock.hpp"

#include "core/throw_system.hpp"
#include "io/on_pool.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace cohub::cache {

namespace {

constexpr mode_t lock_mode = 0664;  // a group can share the cache
constexpr int reopen_limit = 100;

struct opened_lock {
  int descriptor = -1;
  bool made = false;  // it was not there before
};

opened_lock open_lock(const std::filesystem::path& path) {
  constexpr int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  opened_lock opened;
  do {
    opened.descriptor = ::open(path.c_str(), flags | O_EXCL, lock_mode);
    opened.made = opened.descriptor >= 0;
    if (!opened.made && errno == EEXIST) opened.descriptor = ::open(path.c_str(), flags, lock_mode);
  } while (opened.descriptor < 0 && errno == EINTR);
  if (opened.descriptor < 0) core::throw_system(errno, "opening the lock file", path);
  return opened;
}

/// Whether the locked file is still the one that the name stands for: some lock libraries remove
/// the file when they let go, and a lock on a removed file excludes nobody.
bool is_current(int descriptor, const std::filesystem::path& path) {
  struct stat locked {};
  struct stat named {};
  if (::fstat(descriptor, &locked) < 0 || locked.st_nlink == 0) return false;
  if (::lstat(path.c_str(), &named) < 0) return false;
  if (locked.st_uid == ::geteuid() && (locked.st_mode & lock_mode) != lock_mode)
    static_cast<void>(::fchmod(descriptor, lock_mode));  // the umask had taken the group's bit
  return locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

/// Any failure but that nothing has the name counts as a presence.
bool is_there(const std::filesystem::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 || errno != ENOENT;
}

}  // namespace

file_lock::file_lock(file_lock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

file_lock& file_lock::operator=(file_lock&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

file_lock::~file_lock() {
  if (descriptor_ >= 0) ::close(descriptor_);  // which releases the lock
}

std::optional<file_lock> try_lock_file(const std::filesystem::path& path) {
  return try_lock_file(path, ::flock);
}

std::optional<file_lock> try_lock_file(const std::filesystem::path& path, lock_call call) {
  return file_lock::attempt(path, call, LOCK_EX | LOCK_NB);
}

std::optional<file_lock> try_share_file(const std::filesystem::path& path) {
  return file_lock::attempt(path, ::flock, LOCK_SH | LOCK_NB);
}

std::optional<file_lock> file_lock::attempt(const std::filesystem::path& path, lock_call call,
                                            int operation) {
  for (int tries = 0; tries < reopen_limit; ++tries) {
    const auto opened = open_lock(path);
    file_lock lock(opened.descriptor);
    int outcome = 0;
    do {
      outcome = call(lock.descriptor_, operation);
    } while (outcome < 0 && errno == EINTR);
    if (outcome < 0 && errno == EWOULDBLOCK) return {};
    // ENOSYS, ENOLCK, EOPNOTSUPP, EINVAL, on CIFS also EACCES: there are no locks here, and what is
    // guarded is right without. To the Python client a file that is there is a lock then.
    if (outcome < 0) {
      if (opened.made) ::unlink(path.c_str());
      return file_lock();
    }
    if (is_current(lock.descriptor_, path)) return lock;
  }
  return {};
}

std::optional<appearance_lock> appearance_lock::attempt(const std::filesystem::path& path) {
  if (!is_there(path)) return appearance_lock(path, file_lock(), false);
  auto lock = try_lock_file(path);
  if (!lock) return {};
  return appearance_lock(path, std::move(*lock), true);
}

bool appearance_lock::undisturbed() const { return is_made_ || !is_there(path_); }

awaitable<file_lock> lock_file(asio::any_io_executor pool, std::filesystem::path path) {
  return lock_file(std::move(pool), std::move(path), lock_watch());
}

awaitable<file_lock> lock_file(asio::any_io_executor pool, std::filesystem::path path,
                               lock_watch watch) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const auto begin = std::chrono::steady_clock::now();
  auto due = begin + watch.patience;
  for (auto interval = std::chrono::milliseconds(5);;
       interval = std::min(interval * 2, std::chrono::milliseconds(50))) {
    auto attempt = [path] { return try_lock_file(path); };
    auto lock = co_await io::on_pool(pool, std::move(attempt));
    if (lock) co_return std::move(*lock);
    const auto now = std::chrono::steady_clock::now();
    if (watch.still_waiting && now >= due) {
      due += watch.patience;
      watch.still_waiting(std::chrono::duration_cast<std::chrono::seconds>(now - begin));
    }
    timer.expires_after(interval);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace cohub::cache
