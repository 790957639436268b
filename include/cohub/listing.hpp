#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cohub/awaitable.hpp"

namespace cohub {

/// A listing of the Hub whose pages are fetched as they are consumed.
///
/// A cheap handle; copies share one position. Memory is bounded by one page.
template <class T>
class listing {
 public:
  /// Fetches the next page; an empty optional is the end.
  using page_source = std::function<awaitable<std::optional<std::vector<T>>>()>;

  listing() = default;
  explicit listing(page_source next_page)
      : state_(std::make_shared<state>(state{std::move(next_page), {}, false})) {}

  /// The next item, or nothing at the end. Throws what the request for a page throws; the listing is
  /// then at its end.
  awaitable<std::optional<T>> next() { return next(state_); }

  /// All items that are left.
  awaitable<std::vector<T>> all() { return all(state_); }

 private:
  struct state {
    page_source next_page;
    std::deque<T> items;
    bool ended = false;
  };
  using state_ptr = std::shared_ptr<state>;

  static awaitable<std::optional<T>> next(state_ptr self) {
    while (self && self->items.empty() && !self->ended) {
      self->ended = true;  // stays so if the request throws
      auto page = co_await self->next_page();
      if (!page) break;
      self->ended = false;
      self->items.assign(std::make_move_iterator(page->begin()),
                         std::make_move_iterator(page->end()));
    }
    std::optional<T> item;
    if (self && !self->items.empty()) {
      item.emplace(std::move(self->items.front()));
      self->items.pop_front();
    }
    co_return item;
  }

  static awaitable<std::vector<T>> all(state_ptr self) {
    std::vector<T> items;
    for (auto item = co_await next(self); item; item = co_await next(self))
      items.push_back(std::move(*item));
    co_return items;
  }

  state_ptr state_;
};

}  // namespace cohub
