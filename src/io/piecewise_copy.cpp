#include "io/piecewise_copy.hpp"

#include "cohub/error.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <vector>

namespace cohub::io {

namespace {
constexpr std::size_t block_size = 256 * 1024;
}

piecewise_copy::piecewise_copy(const std::filesystem::path& from, const std::filesystem::path& to)
    : from_(from, file::mode::read), to_(to, file::mode::write_new) {}

piecewise_copy::~piecewise_copy() {
  if (!moved_) ::unlink(to_.path().c_str());
}

bool piecewise_copy::step(std::uint64_t bytes) {
  while (bytes > 0) {
    const bool by_system = by_system_;
    const auto count = by_system ? copy_by_system(bytes) : copy_by_hand(bytes);
    if (count == 0 && !by_system) return false;  // else reading decides
    at_ += count;
    bytes -= std::min(count, bytes);
  }
  return true;
}

void piecewise_copy::publish(const std::filesystem::path& destination) {
  if (at_ < from_.size())
    throw error(errc::content_mismatch,
                "copying " + from_.path().string() + ", of which not all was read");
  to_.close();  // first: some file systems tell then what was lost
  rename_file(to_.path(), destination);
  moved_ = true;
}

std::uint64_t piecewise_copy::copy_by_system(std::uint64_t bytes) {
  auto in = static_cast<off64_t>(at_);
  auto out = in;
  const auto count = ::copy_file_range(from_.native_handle(), &in, to_.native_handle(), &out,
                                       static_cast<std::size_t>(bytes), 0);
  if (count > 0) return static_cast<std::uint64_t>(count);
  // Refused here, a failure that reading will tell better, or the end, which some file systems
  // report too early: reading decides.
  if (count == 0 || errno != EINTR) by_system_ = false;
  return 0;
}

std::uint64_t piecewise_copy::copy_by_hand(std::uint64_t bytes) {
  std::vector<std::byte> block(
      static_cast<std::size_t>(std::min<std::uint64_t>(bytes, block_size)));
  const auto count = from_.read_at(at_, block);
  to_.write_at(at_, std::span<const std::byte>(block).first(count));
  return count;
}

}  // namespace cohub::io
