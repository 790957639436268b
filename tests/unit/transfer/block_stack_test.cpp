#include "transfer/block_stack.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <thread>

using cohub::transfer::block_stack;

TEST_CASE("the block that was used last goes out first") {
  block_stack stack(4);
  const std::byte* last = nullptr;
  {
    const auto first = stack.take();
    const auto second = stack.take();
    CHECK(first.bytes().data() != second.bytes().data());
    CHECK(first.bytes().size() == block_stack::block_size);
    last = first.bytes().data();  // given back after `second`
  }
  const auto again = stack.take();
  CHECK(again.bytes().data() == last);
}

TEST_CASE("who finds no block left waits for one") {
  block_stack stack(1);
  std::atomic<bool> taken = false;
  std::optional<std::thread> other;
  {
    const auto held = stack.take();
    other.emplace([&] {
      const auto block = stack.take();
      taken = true;
    });
    CHECK_FALSE(taken);
  }
  other->join();
  CHECK(taken);
}
