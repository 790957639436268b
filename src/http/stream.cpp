#include "http/stream.hpp"

namespace cohub::http {

awaitable<std::size_t> stream::read_some(std::span<std::byte> buffer) {
  auto count = try_read_some(buffer);
  while (!count) {
    co_await wait_readable();
    count = try_read_some(buffer);
  }
  co_return *count;
}

}  // namespace cohub::http
