#include "server/store/private_file.hpp"

#include "core/throw_system.hpp"
#include "io/file.hpp"

#include <openssl/rand.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <stdexcept>

namespace cohub::server {

void write_private_file(const std::filesystem::path& path, std::string_view content,
                        const std::filesystem::path& temporary) {
  // Created with its final mode: it must not be readable by others even for a moment.
  const int created =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (created < 0) core::throw_system(errno, "writing", temporary);
  ::close(created);
  io::file file(temporary, io::file::mode::read_write);
  file.write_at(0, std::as_bytes(std::span(content)));
  file.sync();
  file.close();
  io::rename_file(temporary, path, io::durability::machine);
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1)
    throw std::runtime_error("no random bytes from the system");
  return bytes;
}

folder_lock::folder_lock(const std::filesystem::path& folder) {
  const auto path = folder / "lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor_ < 0) core::throw_system(errno, "opening", path);
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    ::close(descriptor_);
    core::throw_system(code, "opening " + folder.string() + " (another Hub has it open)");
  }
}

folder_lock::~folder_lock() { ::close(descriptor_); }

}  // namespace cohub::server
