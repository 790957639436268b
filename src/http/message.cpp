#include "http/message.hpp"

#include "http/trace_id.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace cohub::http {

namespace {

class memory_body final : public body_source {
 public:
  explicit memory_body(std::string bytes) : bytes_(std::move(bytes)) {}

  std::uint64_t size() const override { return bytes_.size(); }

  awaitable<void> rewind() override {
    position_ = 0;
    co_return;
  }

  awaitable<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min(buffer.size(), bytes_.size() - position_);
    std::memcpy(buffer.data(), bytes_.data() + position_, count);
    position_ += count;
    co_return count;
  }

 private:
  std::string bytes_;
  std::size_t position_ = 0;
};

}  // namespace

std::string_view to_string(method verb) noexcept {
  switch (verb) {
    case method::get:
      return "GET";
    case method::head:
      return "HEAD";
    case method::post:
      return "POST";
    case method::put:
      return "PUT";
    case method::delete_:
      return "DELETE";
  }
  return "GET";
}

http_context context_of(const response_head& head) {
  http_context context;
  context.status = head.status;
  context.url = head.url.printable();
  context.request_id = answered_id(head.headers);
  return context;
}

std::shared_ptr<body_source> bytes_body(std::string bytes) {
  return std::make_shared<memory_body>(std::move(bytes));
}

}  // namespace cohub::http
