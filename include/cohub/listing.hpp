#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/error.hpp"

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace cohub {

/// A listing of the Hub whose pages are fetched as they are consumed.
///
/// A cheap handle; copies share one position, from which one coroutine reads at a time. Memory is
/// bounded by one page.
template <class T>
class listing {
 public:
  /// Fetches the next page; an empty optional is the end.
  using page_source = std::function<awaitable<std::optional<std::vector<T>>>()>;

  listing() = default;
  explicit listing(page_source next_page) : state_(std::make_shared<state>(std::move(next_page))) {}

  /// The next item, or nothing at the end.
  ///
  /// Throws what the request for a page throws, also when it was cancelled, and so do all calls
  /// after that: what is left cannot be had, which is not the end of the listing.
  /// @throws error  errc::invalid_argument: a page is being fetched for another call
  awaitable<std::optional<T>> next() { return next(state_); }

  /// What is left of the page at hand, or else the next one: whole pages cost one request each. An
  /// empty optional is the end. Throws as `next` does.
  awaitable<std::optional<std::vector<T>>> next_page() { return next_page(state_); }

  /// All items that are left.
  awaitable<std::vector<T>> all() { return all(state_); }

 private:
  struct state {
    explicit state(page_source source) : next_page(std::move(source)) {}

    page_source next_page;
    std::deque<T> items{};
    bool fetching = false;
    bool ended = false;
    std::exception_ptr failure{};
  };
  using state_ptr = std::shared_ptr<state>;

  static awaitable<std::optional<std::vector<T>>> fetch(state_ptr self) {
    if (self->fetching)
      throw error(errc::invalid_argument, "reading a listing: another call is in flight");
    if (self->failure) std::rethrow_exception(self->failure);
    self->fetching = true;
    std::optional<std::vector<T>> page;
    try {
      page = co_await self->next_page();
      self->ended = !page;
    } catch (...) {
      self->failure = std::current_exception();
    }
    self->fetching = false;
    if (self->failure) std::rethrow_exception(self->failure);
    co_return page;
  }

  static awaitable<std::optional<std::vector<T>>> next_page(state_ptr self) {
    std::optional<std::vector<T>> page;
    if (self && !self->items.empty()) {
      page.emplace(std::make_move_iterator(self->items.begin()),
                   std::make_move_iterator(self->items.end()));
      self->items.clear();
    } else if (self && !self->ended) {
      page = co_await fetch(self);
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
