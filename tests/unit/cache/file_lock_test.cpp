#include "cache/file_lock.hpp"

#include "cohub/error.hpp"

#include "io/file.hpp"
#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

using namespace cohub;

namespace {

/// Another process that holds the lock, as the Python client would, until it is told to end.
class other_process {
 public:
  explicit other_process(const std::filesystem::path& path) {
    std::array<int, 2> ready{};
    std::array<int, 2> end{};
    REQUIRE(::pipe(ready.data()) == 0);
    REQUIRE(::pipe(end.data()) == 0);
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::close(end[1]);
      const int lock = ::open(path.c_str(), O_RDWR | O_CREAT, 0664);
      char byte = ::flock(lock, LOCK_EX) == 0 ? 'y' : 'n';
      static_cast<void>(::write(ready[1], &byte, 1) + ::read(end[0], &byte, 1));
      ::_exit(0);
    }
    ::close(ready[1]);
    ::close(end[0]);
    end_ = end[1];
    char locked = 0;
    REQUIRE(::read(ready[0], &locked, 1) == 1);
    REQUIRE(locked == 'y');
    ::close(ready[0]);
  }
  ~other_process() { stop(); }

  void stop() {
    if (child_ < 0) return;
    ::close(end_);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }

 private:
  pid_t child_ = -1;
  int end_ = -1;
};

struct fixture {
  io::temporary_directory folder;
  std::filesystem::path path = folder.path() / "e1.lock";
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a lock excludes every other holder until it goes, and the file stays") {
  {
    const auto held = cache::try_lock_file(path);
    REQUIRE(held.has_value());
    CHECK(held->held());
    CHECK_FALSE(cache::try_lock_file(path).has_value());
  }
  CHECK(cache::try_lock_file(path).has_value());
  CHECK(std::filesystem::exists(path));
}

TEST_CASE_FIXTURE(fixture, "a lock file can be used by the whole group") {
  const auto before = ::umask(077);
  const auto held = cache::try_lock_file(path);
  ::umask(before);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0664);
}

TEST_CASE_FIXTURE(fixture, "a lock file that is a link is refused") {
  std::filesystem::create_symlink(folder.path() / "elsewhere", path);
  CHECK_THROWS_AS(cache::try_lock_file(path), error);
}

TEST_CASE_FIXTURE(fixture, "a lock of another process is waited for") {
  asio::io_context context;
  asio::thread_pool pool(1);
  other_process other(path);
  CHECK_FALSE(cache::try_lock_file(path).has_value());
  bool stopped = false;
  asio::steady_timer soon(context, std::chrono::milliseconds(20));
  soon.async_wait([&](boost::system::error_code) {
    other.stop();
    stopped = true;
  });
  const auto lock = test::run(context, cache::lock_file(pool.get_executor(), path));
  CHECK(stopped);
  CHECK(lock.held());
}

TEST_CASE_FIXTURE(fixture, "a lock on a file that was removed meanwhile is not taken for one") {
  auto held = cache::try_lock_file(path);
  std::filesystem::remove(path);
  // The name stands for a new file now, which nobody has locked.
  const auto fresh = cache::try_lock_file(path);
  REQUIRE(fresh.has_value());
  held.reset();
  CHECK_FALSE(cache::try_lock_file(path).has_value());
}

TEST_CASE_FIXTURE(fixture, "what appears needs no lock file while nobody else has an eye on it") {
  const auto alone = cache::appearance_lock::attempt(path);
  REQUIRE(alone.has_value());
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(alone->undisturbed());
  const auto other = cache::try_lock_file(path);  // somebody comes before all is in place
  REQUIRE(other.has_value());
  CHECK_FALSE(alone->undisturbed());
  CHECK_FALSE(cache::appearance_lock::attempt(path).has_value());
}

TEST_CASE_FIXTURE(fixture, "what appears is locked where there is a lock file") {
  cache::try_lock_file(path);
  const auto held = cache::appearance_lock::attempt(path);
  REQUIRE(held.has_value());
  CHECK_FALSE(cache::try_lock_file(path).has_value());
  CHECK(held->undisturbed());
}

TEST_CASE_FIXTURE(fixture, "waiting can be cancelled") {
  asio::io_context context;
  asio::thread_pool pool(1);
  const auto held = cache::try_lock_file(path);
  asio::cancellation_signal stop;
  std::exception_ptr failure;
  asio::co_spawn(context, cache::lock_file(pool.get_executor(), path),
                 asio::bind_cancellation_slot(
                     stop.slot(), [&](std::exception_ptr e, cache::file_lock) { failure = e; }));
  asio::steady_timer soon(context, std::chrono::milliseconds(10));
  soon.async_wait([&](boost::system::error_code) { stop.emit(asio::cancellation_type::terminal); });
  context.run_for(std::chrono::seconds(20));
  REQUIRE(failure);
  CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
}

namespace {

int refused_code = 0;
int refuse(int, int) {
  errno = refused_code;
  return -1;
}

std::filesystem::path lock_to_remove;
int removals = 0;
/// As if the holder of an older lock library had removed the file between the opening and the lock.
int lock_after_removal(int descriptor, int operation) {
  if (removals-- > 0) std::filesystem::remove(lock_to_remove);
  return ::flock(descriptor, operation);
}

}  // namespace

TEST_CASE_FIXTURE(fixture, "a file system without locks is no hindrance") {
  for (const int code : {ENOLCK, ENOSYS, EOPNOTSUPP, EINVAL, EACCES, EIO}) {
    CAPTURE(code);
    refused_code = code;
    const auto lock = cache::try_lock_file(path, refuse);
    REQUIRE(lock.has_value());
    CHECK_FALSE(lock->held());
    // Where there are no locks, the Python client waits for a file that is there to go.
    CHECK_FALSE(std::filesystem::exists(path));
  }
  io::write_file_atomically(path, "x");
  CHECK(cache::try_lock_file(path, refuse).has_value());
  CHECK(std::filesystem::exists(path));  // somebody else's
  refused_code = EWOULDBLOCK;
  CHECK_FALSE(cache::try_lock_file(path, refuse).has_value());
}

TEST_CASE_FIXTURE(fixture, "a lock file that is replaced while it is locked is locked anew") {
  lock_to_remove = path;
  removals = 3;
  const auto lock = cache::try_lock_file(path, lock_after_removal);
  REQUIRE(lock.has_value());
  CHECK(lock->held());
  CHECK(removals < 0);
  CHECK_FALSE(cache::try_lock_file(path).has_value());  // the name stands for what is locked
}

TEST_CASE_FIXTURE(fixture, "the descriptor of a lock is not inherited") {
  const auto held = cache::try_lock_file(path);
  REQUIRE(held.has_value());
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    if (std::filesystem::read_symlink(entry, ignored) != path) continue;
    const int descriptor = std::stoi(entry.path().filename().string());
    CHECK((::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    ++found;
  }
  CHECK(found == 1);
}

TEST_CASE_FIXTURE(fixture, "who waits for long hears of it, again and again") {
  asio::io_context context;
  asio::thread_pool pool(1);
  auto held = cache::try_lock_file(path);
  int told = 0;
  cache::lock_watch watch;
  watch.patience = std::chrono::milliseconds(1);
  watch.still_waiting = [&](std::chrono::seconds) {
    if (++told == 3) held.reset();
  };
  const auto lock = test::run(context, cache::lock_file(pool.get_executor(), path, watch));
  CHECK(lock.held());
  CHECK(told >= 3);
}
