#include "cohub/safetensors_source.hpp"

#include "io/on_pool.hpp"
#include "model/safetensors_writer.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace cohub {

namespace {

using piece = std::vector<std::byte>;

constexpr std::size_t pieces_waiting = 4;
constexpr std::size_t largest_piece = 1u << 20;

/// Carries pieces from the thread that produces them to who uploads them.
class pipe {
 public:
  /// Waits for room. @throws std::runtime_error  nobody reads any more
  void put(std::span<const std::byte> bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += largest_piece) {
      const auto part = bytes.subspan(at, std::min(largest_piece, bytes.size() - at));
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return pieces_.size() < pieces_waiting || abandoned_; });
      if (abandoned_) throw std::runtime_error("the upload has ended");
      pieces_.emplace_back(part.begin(), part.end());
      changed_.notify_all();
    }
  }
  void end(std::exception_ptr failure) {
    const std::scoped_lock lock(mutex_);
    failure_ = std::move(failure);
    ended_ = true;
    changed_.notify_all();
  }
  /// Waits for a piece; an empty one is the end.
  piece take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !pieces_.empty() || ended_; });
    if (pieces_.empty()) {
      if (failure_) std::rethrow_exception(failure_);
      return {};
    }
    auto first = std::move(pieces_.front());
    pieces_.pop_front();
    changed_.notify_all();
    return first;
  }
  void abandon() {
    const std::scoped_lock lock(mutex_);
    abandoned_ = ended_ = true;
    pieces_.clear();
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<piece> pieces_;
  std::exception_ptr failure_;
  bool ended_ = false;
  bool abandoned_ = false;
};

class produced_file final : public upload_source {
 public:
  produced_file(asio::any_io_executor pool, std::vector<tensor_source> tensors,
                save_safetensors_options options)
      : pool_(std::move(pool)), tensors_(std::move(tensors)), options_(std::move(options)) {}
  ~produced_file() override {
    pipe_->abandon();
    if (producer_.joinable()) producer_.join();
  }

  awaitable<std::size_t> read(std::span<std::byte> buffer) override {
    start();
    if (used_ == current_.size()) {
      auto take = [from = pipe_] { return from->take(); };
      auto taking = io::on_pool(pool_, std::move(take));
      current_ = co_await std::move(taking);
      used_ = 0;
    }
    const std::size_t count = std::min(buffer.size(), current_.size() - used_);
    if (count > 0) std::memcpy(buffer.data(), current_.data() + used_, count);
    used_ += count;
    co_return count;
  }

 private:
  /// With the first read: a source that is never read produces nothing.
  void start() {
    if (producer_.joinable()) return;
    producer_ = std::thread([to = pipe_, tensors = std::move(tensors_), options = options_] {
      std::exception_ptr failure;
      try {
        model::write_safetensors(tensors, options,
                                 [&to](std::span<const std::byte> bytes) { to->put(bytes); });
      } catch (...) {
        failure = std::current_exception();
      }
      to->end(std::move(failure));
    });
  }

  asio::any_io_executor pool_;
  std::vector<tensor_source> tensors_;
  save_safetensors_options options_;
  std::shared_ptr<pipe> pipe_ = std::make_shared<pipe>();
  std::thread producer_;
  piece current_;
  std::size_t used_ = 0;
};

}  // namespace

std::shared_ptr<upload_source> safetensors_source(asio::any_io_executor pool,
                                                  std::vector<tensor_source> tensors,
                                                  named<save_safetensors_options> options) {
  return std::make_shared<produced_file>(std::move(pool), std::move(tensors), *std::move(options));
}

}  // namespace cohub
