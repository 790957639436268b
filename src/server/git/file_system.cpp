#include "server/git/file_system.hpp"

#include "core/throw_system.hpp"
#include "io/file.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <system_error>

namespace cohub::server {

void sync_file_system_of(const std::filesystem::path& path) {
  const io::file folder(path, io::file::mode::read);
  if (::syncfs(folder.native_handle()) != 0) core::throw_system(errno, "syncing", path);
}

void copy_folder(const std::filesystem::path& from, const std::filesystem::path& to,
                 std::initializer_list<const char*> linked) {
  io::create_directories(to);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(from)) {
    if (entry.path().filename().string().starts_with("tmp_")) continue;
    const auto relative = entry.path().lexically_relative(from);
    if (entry.is_directory()) {
      io::create_directories(to / relative);
      continue;
    }
    const std::string top = relative.begin()->string();
    if (std::find(linked.begin(), linked.end(), top) != linked.end()) {
      std::error_code failed;
      std::filesystem::create_hard_link(entry.path(), to / relative, failed);
      if (!failed) continue;
    }
    std::filesystem::copy_file(entry.path(), to / relative);
  }
  sync_file_system_of(to);
}

}  // namespace cohub::server
