#pragma once

#include "server/failure.hpp"

#include <cstddef>
#include <memory>
#include <utility>

namespace cohub::server {

/// Memory for all bodies, of requests and answers, that are in memory at one time. Of one executor.
struct memory_room {
  std::size_t left = 256u << 20;
};

/// What one request has of it.
class memory_share {
 public:
  explicit memory_share(std::shared_ptr<memory_room> room) : room_(std::move(room)) {}
  memory_share(memory_share&&) = delete;
  ~memory_share() { room_->left += taken_; }

  /// @throws failure  503: others have it all
  void take(std::size_t bytes) {
    if (bytes > room_->left) {
      http::fields headers;
      headers.set("Retry-After", "1");
      throw failure(503, {}, "Too many large requests at once", std::move(headers));
    }
    room_->left -= bytes;
    taken_ += bytes;
  }

  /// Has so much from now on. @throws failure  as `take`
  void resize(std::size_t bytes) {
    if (bytes > taken_) return take(bytes - taken_);
    room_->left += taken_ - bytes;
    taken_ = bytes;
  }

 private:
  std::shared_ptr<memory_room> room_;
  std::size_t taken_ = 0;
};

}  // namespace cohub::server
