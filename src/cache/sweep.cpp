#include "cache/sweep.hpp"

#include "io/file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <system_error>

namespace cohub::cache {

namespace {

bool is_old(const std::filesystem::path& path) noexcept {
  struct stat status {};
  if (::lstat(path.c_str(), &status) < 0) return false;
  if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) return false;
  const auto age = std::chrono::seconds(std::time(nullptr) - status.st_mtim.tv_sec);
  return age > leftover_age;
}

}  // namespace

void sweep_temporaries(const std::filesystem::path& folder) noexcept {
  try {
    std::error_code failure;
    std::filesystem::directory_iterator entry(folder, failure);
    for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure))
      if (io::is_temporary_name(entry->path().filename().native()) && is_old(entry->path()))
        ::unlink(entry->path().c_str());
  } catch (...) {  // no memory: what is left over is swept another time
  }
}

}  // namespace cohub::cache
