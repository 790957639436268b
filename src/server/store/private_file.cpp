#include "server/store/private_file.hpp"

#include "core/throw_system.hpp"

#include <openssl/rand.h>

#include <cerrno>
#include <stdexcept>

namespace cohub::server {

void write_private_file(const std::filesystem::path& path, std::string_view content,
                        const std::filesystem::path& temporary) {
  io::write_file_atomically(path, content, io::durability::machine, temporary,
                            io::file::mode::write_new_private);
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1)
    throw std::runtime_error("no random bytes from the system");
  return bytes;
}

folder_lock::folder_lock(const std::filesystem::path& folder)
    : file_(folder / "lock", io::file::mode::read_write_private) {
  const auto outcome = file_.ask_lock();
  if (outcome == io::file::lock::taken) return;
  const bool refused = outcome == io::file::lock::refused;
  core::throw_system(refused ? EWOULDBLOCK : ENOLCK,
                     "opening " + folder.string() +
                         (refused ? " (another Hub has it open)" : " (its files have no locks)"));
}

}  // namespace cohub::server
