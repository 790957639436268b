#pragma once

#include "io/signal.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace cohub::transfer {

/// A queue between coroutines of one executor: who puts in waits while it is full, who takes waits
/// while it is empty, until it is closed.
template <class T>
class bounded_queue {
 public:
  bounded_queue(asio::any_io_executor executor, std::size_t limit)
      : limit_(limit), came_(executor), went_(executor) {}

  /// Waits for room, then puts it in.
  awaitable<void> push(T item) {
    while (items_.size() >= limit_) co_await went_.wait();
    push_now(std::move(item));
  }
  /// Waits for room, then puts all of them in.
  awaitable<void> push_all(std::vector<T> items) {
    while (items_.size() >= limit_) co_await went_.wait();
    for (auto& item : items) items_.push_back(std::move(item));
    came_.notify();
  }
  /// Puts one in, whether there is room or not.
  void push_now(T item) {
    items_.push_back(std::move(item));
    came_.notify();
  }
  /// Puts one in before all others, whether there is room or not.
  void push_first_now(T item) {
    items_.push_front(std::move(item));
    came_.notify();
  }
  /// The first one; nothing once the queue is closed and empty.
  awaitable<std::optional<T>> pop() {
    while (items_.empty() && !closed_) co_await came_.wait();
    std::optional<T> first;
    const bool was_full = items_.size() == limit_;  // with more in it, it stays so
    if (!items_.empty()) {
      first.emplace(std::move(items_.front()));
      items_.pop_front();
    }
    if (was_full) went_.notify();
    co_return first;
  }
  /// All that are there, at most `limit`; none once the queue is closed and empty.
  awaitable<std::vector<T>> pop_some(std::size_t limit) {
    while (items_.empty() && !closed_) co_await came_.wait();
    std::vector<T> some;
    const bool was_full = items_.size() >= limit_;
    while (!items_.empty() && some.size() < limit) {
      some.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    if (was_full) went_.notify();
    co_return some;
  }
  /// Nothing more will come.
  void close() {
    closed_ = true;
    came_.notify();
  }

 private:
  std::size_t limit_;
  std::deque<T> items_{};
  bool closed_ = false;
  io::signal came_;
  io::signal went_;
};

}  // namespace cohub::transfer
