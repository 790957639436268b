#pragma once

#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"
#include "cohub/listing.hpp"

#include "core/url.hpp"
#include "transfer/api_call.hpp"
#include "transfer/context.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

/// Listings whose pages are linked by `Link: <...>; rel="next"` (hub-protocol, section 6.3).
namespace cohub::transfer {

/// Where a listing stands.
struct page_cursor {
  context_ptr shared{};
  std::string token{};
  http::fields headers{};  ///< of the call's own
  std::string doing{};
  std::string repo_id{};    ///< checked before the first request
  bool is_of_one = true;    ///< false: it is about no single repository
  std::uint64_t limit = 0;  ///< the most items; 0: all
  std::uint64_t given = 0;
  std::string next{};  ///< url; empty: the end
  /// Of the first page's url, before any redirect: the token is for it alone.
  std::optional<core::origin> home{};
  std::unordered_set<std::size_t> seen{};  ///< hashes of the urls
  std::size_t last_page = 0;               ///< hash of its text
  std::size_t idle_pages = 0;              ///< that brought nothing new, in a row
};
using page_cursor_ptr = std::shared_ptr<page_cursor>;

/// A server that never ends: so many pages are more than any Hub has, so many in a row that are
/// empty, or the same as the one before, lead nowhere.
inline constexpr std::size_t most_pages = 100'000;
inline constexpr std::size_t most_idle_pages = 8;

/// The next page's body, or nothing at the end.
/// @throws error  errc::invalid_response: the pages lead in a circle, to another host or nowhere
awaitable<std::optional<std::string>> fetch_page_text(page_cursor_ptr at);

/// Looks whether a page brought anything new; throws when none does for too long.
void weigh_page(page_cursor& at, std::string_view text, std::size_t items);

template <class T>
using page_reader = body_reader<std::vector<T>>;

template <class T>
awaitable<std::optional<std::vector<T>>> fetch_page(page_cursor_ptr at, page_reader<T> read) {
  std::optional<std::vector<T>> items;
  const auto text = co_await fetch_page_text(at);
  if (text) {
    auto page = co_await read_body(at->shared, *text, read);
    if (!page) throw error(page.error(), at->doing);
    items = std::move(*page);
    weigh_page(*at, *text, items->size());
    if (at->limit > 0) {
      const auto left = at->limit - at->given;
      if (items->size() >= left) {
        items->resize(static_cast<std::size_t>(left));
        at->next.clear();
      }
      at->given += items->size();
    }
  }
  co_return items;
}

template <class T>
listing<T> paged_listing(page_cursor start, page_reader<T> read) {
  auto at = std::make_shared<page_cursor>(std::move(start));
  return listing<T>(
      [at = std::move(at), read] { return detail::operation(fetch_page<T>(at, read)); });
}

}  // namespace cohub::transfer
