#include "cache/sweep.hpp"

#include "io/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

void age(const fs::path& path, std::chrono::minutes by) {
  struct timespec times[2]{};
  for (auto& time : times)
    time.tv_sec = std::time(nullptr) - std::chrono::duration_cast<std::chrono::seconds>(by).count();
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

}  // namespace

TEST_CASE("old temporaries of ours are removed, and nothing else") {
  const io::temporary_directory folder;
  const auto put = [&](const std::string& name, std::chrono::minutes by) {
    io::write_file_atomically(folder.path() / name, "half");
    age(folder.path() / name, by);
  };
  put(".tmp-01234567", std::chrono::minutes(61));
  put(".tmp-89abcdef", std::chrono::minutes(59));  // somebody may be writing it
  put(".tmp-xyz", std::chrono::minutes(600));
  put(".tmp-0123456789", std::chrono::minutes(600));
  put("e1.12345678.incomplete", std::chrono::minutes(600));
  put("e1", std::chrono::minutes(600));
  fs::create_symlink("../blobs/e1", folder.path() / ".tmp-00000000");
  age(folder.path() / ".tmp-00000000", std::chrono::minutes(61));
  fs::create_directory(folder.path() / ".tmp-11111111");
  age(folder.path() / ".tmp-11111111", std::chrono::minutes(61));
  cache::sweep_temporaries(folder.path());
  CHECK_FALSE(fs::exists(folder.path() / ".tmp-01234567"));
  CHECK_FALSE(fs::is_symlink(fs::symlink_status(folder.path() / ".tmp-00000000")));
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 6);
  cache::sweep_temporaries(folder.path() / "not there");
}
