#pragma once

#include "cohub/awaitable.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

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

  /// The next item, or nothing at the end. Throws what the request for a page throws; the listing
  /// is then at its end.
  awaitable<std::optional<T>> next() { return next(state_); }

  /// What is left of the page at hand, or else the next one: whole pages cost one request each. An
  /// empty optional is the end. Throws as `next` does.
  awaitable<std::optional<std::vector<T>>> next_page() { return next_page(state_); }

  /// All items that are left.
  awaitable<std::vector<T>> all() { return all(state_); }

 private:
  struct state {
    page_source next_page;
    std::deque<T> items;
    bool ended = false;
  };
  using state_ptr = std::shared_ptr<state>;

  static awaitable<std::optional<std::vector<T>>> next_page(state_ptr self) {
    std::optional<std::vector<T>> page;
    if (self && !self->items.empty()) {
      page.emplace(std::make_move_iterator(self->items.begin()),
                   std::make_move_iterator(self->items.end()));
      self->items.clear();
    } else if (self && !self->ended) {
      self->ended = true;  // stays so if the request throws
      page = co_await self->next_page();
      self->ended = !page;
    }
    co_return page;
  }

  static awaitable<std::optional<T>> next(state_ptr self) {
    while (self && self->items.empty()) {
      auto page = co_await next_page(self);
      if (!page) break;
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
    for (auto page = co_await next_page(self); page; page = co_await next_page(self))
      items.insert(items.end(), std::make_move_iterator(page->begin()),
                   std::make_move_iterator(page->end()));
    co_return items;
  }

  state_ptr state_;
};

}  // namespace cohub
