#include "transfer/upload_total.hpp"

#include <algorithm>

namespace cohub::transfer {

upload_total::~upload_total() {
  if (!total_ || files_ == 0) return;
  try {
    total_->withdraw(files_, bytes_, moved_);
  } catch (...) {  // observers do not throw; nothing may leave a destructor
  }
}

void upload_total::announce(std::uint64_t files, std::uint64_t bytes) {
  if (!total_ || files == 0) return;
  {
    const std::scoped_lock guard(mutex_);
    files_ += files;
    bytes_ += bytes;
  }
  total_->announce(files, bytes);
}

void upload_total::move(std::int64_t bytes) {
  if (!total_ || bytes == 0) return;
  {
    const std::scoped_lock guard(mutex_);
    if (bytes > 0)
      moved_ += static_cast<std::uint64_t>(bytes);
    else
      moved_ -= std::min(moved_, static_cast<std::uint64_t>(-bytes));
  }
  total_->move(bytes);
}

void upload_total::finish(std::uint64_t bytes, std::uint64_t moved) {
  if (!total_) return;
  {
    const std::scoped_lock guard(mutex_);
    files_ -= std::min<std::uint64_t>(files_, 1);
    bytes_ -= std::min(bytes_, bytes);
    moved_ -= std::min(moved_, moved);
  }
  total_->skip(1, bytes - std::min(bytes, moved));
}

}  // namespace cohub::transfer
