#include "transfer/progress_total.hpp"

#include <algorithm>

namespace cohub::transfer {

namespace {

constexpr std::chrono::milliseconds interval{100};

void add(std::uint64_t& sum, std::int64_t bytes) noexcept {
  if (bytes >= 0)
    sum += static_cast<std::uint64_t>(bytes);
  else
    sum -= std::min(sum, static_cast<std::uint64_t>(-bytes));
}

}  // namespace

progress_total::~progress_total() {
  if (!untold_) return;
  try {
    listener_->on_total(total_);
  } catch (...) {  // observers do not throw; nothing may leave a destructor
  }
}

void progress_total::tell(std::unique_lock<std::mutex> guard) {
  untold_ = true;
  const auto time = std::chrono::steady_clock::now();
  if (time < due_) return;
  due_ = time + interval;
  untold_ = false;
  const auto total = total_;
  guard.unlock();  // what the observer does is its own affair
  listener_->on_total(total);
}

void progress_total::announce(std::uint64_t files, std::uint64_t bytes) {
  std::unique_lock guard(mutex_);
  announced_ += files;
  total_.files_total += files;
  total_.bytes_total += bytes;
  tell(std::move(guard));
}

void progress_total::skip(std::uint64_t files, std::uint64_t bytes) {
  std::unique_lock guard(mutex_);
  announced_ -= std::min(announced_, files);
  total_.files_done += files;
  total_.bytes_done += bytes;
  tell(std::move(guard));
}

bool progress_total::begin_file(std::uint64_t bytes) {
  const std::scoped_lock guard(mutex_);
  if (announced_ > 0) {
    --announced_;
    return true;
  }
  ++total_.files_total;
  total_.bytes_total += bytes;
  return false;
}

void progress_total::abandon_file(bool announced, std::uint64_t bytes, std::uint64_t moved_bytes) {
  std::unique_lock guard(mutex_);
  if (announced) {
    ++announced_;
  } else {
    total_.files_total -= std::min<std::uint64_t>(total_.files_total, 1);
    total_.bytes_total -= std::min(total_.bytes_total, bytes);
  }
  total_.bytes_done -= std::min(total_.bytes_done, moved_bytes);
  tell(std::move(guard));
}

void progress_total::finish_file() {
  std::unique_lock guard(mutex_);
  ++total_.files_done;
  tell(std::move(guard));
}

void progress_total::withdraw(std::uint64_t files, std::uint64_t bytes, std::uint64_t moved_bytes) {
  std::unique_lock guard(mutex_);
  announced_ -= std::min(announced_, files);
  total_.files_total -= std::min(total_.files_total, files);
  total_.bytes_total -= std::min(total_.bytes_total, bytes);
  total_.bytes_done -= std::min(total_.bytes_done, moved_bytes);
  tell(std::move(guard));
}

void progress_total::move(std::int64_t bytes) {
  std::unique_lock guard(mutex_);
  add(total_.bytes_done, bytes);
  tell(std::move(guard));
}

transfer_total progress_total::now() const {
  const std::scoped_lock guard(mutex_);
  return total_;
}

std::shared_ptr<progress_total> observer_totals::of(const std::shared_ptr<observer>& listener,
                                                    transfer_progress::direction way) {
  if (!listener) return {};
  std::erase_if(totals_, [](const auto& known) { return known.second.expired(); });
  auto& known = totals_[std::pair(static_cast<const observer*>(listener.get()), way)];
  auto total = known.lock();
  if (!total) {
    total = std::make_shared<progress_total>(listener, way);
    known = total;
  }
  return total;
}

}  // namespace cohub::transfer
