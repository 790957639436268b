#include "transfer/bounded_queue.hpp"

#include "support/run.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>

#include <memory>

using namespace cohub;
using queue = transfer::bounded_queue<int>;

namespace {

awaitable<void> put(std::shared_ptr<queue> into, int count, std::shared_ptr<int> done) {
  for (int i = 0; i < count; ++i) {
    auto putting = into->push(i);
    co_await std::move(putting);
    ++*done;
  }
  into->close();
}

awaitable<std::vector<int>> take_all(std::shared_ptr<queue> from) {
  std::vector<int> taken;
  for (auto item = co_await from->pop(); item; item = co_await from->pop()) taken.push_back(*item);
  co_return taken;
}

}  // namespace

TEST_CASE("what is put in first comes before all others") {
  asio::io_context context;
  queue items(context.get_executor(), 3);
  for (int i = 0; i < 4; ++i) items.push_now(i);
  items.push_first_now(9);
  CHECK(test::run(context, items.pop_some(10)) == std::vector<int>{9, 0, 1, 2, 3});
}

TEST_CASE("a full queue makes who puts in wait, and all comes out in order") {
  asio::io_context context;
  const auto items = std::make_shared<queue>(context.get_executor(), 3);
  const auto done = std::make_shared<int>(0);
  asio::co_spawn(context, put(items, 10, done), asio::detached);
  context.poll();
  CHECK(*done == 3);
  const auto taken = test::run(context, take_all(items));
  CHECK(taken == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(*done == 10);
}

TEST_CASE("several are taken at once, none from a queue that is closed and empty") {
  asio::io_context context;
  queue items(context.get_executor(), 100);
  for (int i = 0; i < 5; ++i) items.push_now(i);
  items.close();
  CHECK(test::run(context, items.pop_some(3)) == std::vector<int>{0, 1, 2});
  CHECK(test::run(context, items.pop_some(3)) == std::vector<int>{3, 4});
  CHECK(test::run(context, items.pop_some(3)).empty());
}
