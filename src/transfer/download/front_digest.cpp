#include "transfer/download/front_digest.hpp"

#include "cohub/error.hpp"

#include <algorithm>

namespace cohub::transfer {

std::optional<core::digest> digest_for(hub::etag_kind kind, std::uint64_t size) {
  std::optional<core::digest> digest;
  if (kind == hub::etag_kind::sha256) digest.emplace(core::digest::algorithm::sha256);
  if (kind == hub::etag_kind::git_sha1) digest.emplace(core::git_blob_digest(size));
  return digest;
}

front_digest::front_digest(hub::etag_kind kind, std::uint64_t size) : kind_(kind), size_(size) {}

bool front_digest::feed(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (!active()) return false;
  const std::unique_lock guard(mutex_, std::try_to_lock);
  if (!guard.owns_lock() || offset != front_) return false;
  digest().update(bytes);
  front_ += bytes.size();
  return true;
}

void front_digest::catch_up(const io::file& content, std::uint64_t end,
                            std::chrono::steady_clock::time_point until,
                            std::span<std::byte> room) {
  if (!active()) return;
  const std::scoped_lock guard(mutex_);
  room = room.first(std::min(room.size(), piece_size));
  while (front_ < end) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(end - front_, room.size()));
    const auto bytes = room.first(wanted);
    if (content.read_at(front_, bytes) != wanted)
      throw error(errc::content_mismatch,
                  "checking " + content.path().string() + ", which became shorter meanwhile");
    digest().update(bytes);
    front_ += wanted;
    if (std::chrono::steady_clock::now() >= until) break;
  }
}

void front_digest::restart() {
  const std::scoped_lock guard(mutex_);
  digest_.reset();
  front_ = 0;
}

std::string front_digest::hex() {
  const std::scoped_lock guard(mutex_);
  return digest().hex_digest();
}

core::digest& front_digest::digest() {
  if (!digest_) digest_ = digest_for(kind_, size_);
  return *digest_;
}

}  // namespace cohub::transfer
