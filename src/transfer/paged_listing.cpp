#include "transfer/paged_listing.hpp"

#include "http/redirect_rules.hpp"
#include "hub/link_header.hpp"
#include "transfer/api_call.hpp"

#include <functional>
#include <utility>

namespace cohub::transfer {

namespace {

/// The next page's url out of the answer's Link header. It must not lead to another host than the
/// one that gave it.
std::string next_url(const page_cursor& at, const http::response_head& head) {
  const auto link = hub::link_target(head.headers.get_list("Link"), "next");
  if (!link) return {};
  const auto target = core::redirect_target(head.url, *link);
  if (!target) throw error(target.error(), at.doing + ": the link to the next page");
  if (!http::keeps_credentials(head.url.origin, target->origin))
    throw error(errc::invalid_response,
                at.doing + ": the next page is on another host, " + target->origin.authority());
  return target->text();
}

/// A request for the next page. The first one may have been redirected to another host, which then
/// names the pages that follow: token and headers of the caller are not for it.
http::request question(page_cursor& at) {
  auto what = hub_request(*at.shared, http::method::get, at.next, at.token);
  if (!at.home) at.home = what.url.origin;
  if (http::keeps_credentials(*at.home, what.url.origin))
    what.home_headers = at.headers;
  else
    what.headers.erase("Authorization");
  return what;
}

}  // namespace

void weigh_page(page_cursor& at, std::string_view text, std::size_t items) {
  const auto page = std::hash<std::string_view>()(text);
  const bool is_another = page != std::exchange(at.last_page, page);
  at.idle_pages = items > 0 && is_another ? 0 : at.idle_pages + 1;
  if (at.idle_pages > most_idle_pages && !at.next.empty())
    throw error(errc::invalid_response, at.doing + ": page follows page, and none brings any more");
}

awaitable<std::optional<std::string>> fetch_page_text(page_cursor_ptr at) {
  std::optional<std::string> text;
  if (at->next.empty()) co_return text;
  if (at->seen.empty() && at->is_of_one) require_repo_id(at->repo_id);
  if (!at->seen.insert(std::hash<std::string>()(at->next)).second)
    throw error(errc::invalid_response, at->doing + ": the pages lead in a circle");
  if (at->seen.size() > most_pages)
    throw error(errc::invalid_response, at->doing + ": the pages have no end");
  auto what = question(*at);
  auto answer = co_await call_and_read(at->shared, std::move(what), at->doing);
  at->next = next_url(*at, answer.head);
  text = std::move(answer.body);
  co_return text;
}

}  // namespace cohub::transfer
