#include "transfer/block_stack.hpp"

#include <utility>

namespace cohub::transfer {

block_stack::block block_stack::take() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return out_ < limit_; });
  idle_.reserve(out_ + 1);  // so that giving back cannot fail
  std::unique_ptr<std::byte[]> bytes;
  if (!idle_.empty()) {
    bytes = std::move(idle_.back());
    idle_.pop_back();
  } else {
    bytes = std::make_unique_for_overwrite<std::byte[]>(block_size);
  }
  ++out_;
  return {*this, std::move(bytes)};
}

void block_stack::give_back(std::unique_ptr<std::byte[]> bytes) noexcept {
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(bytes));
  --out_;
  returned_.notify_one();
}

}  // namespace cohub::transfer
