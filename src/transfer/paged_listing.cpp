#include "transfer/paged_listing.hpp"

#include "hub/link_header.hpp"
#include "hub/repo_id.hpp"
#include "transfer/api_call.hpp"

namespace cohub::transfer {

namespace {

/// The next page's url out of the answer's Link header. The token must not follow it to another
/// host.
std::string next_url(const page_cursor& at, const http::response_head& head) {
  const auto link = hub::link_target(head.headers.get("Link"), "next");
  if (!link) return {};
  const auto target = core::redirect_target(head.url, *link);
  if (!target) throw error(target.error(), at.doing + ": the link to the next page");
  if (target->origin != head.url.origin)
    throw error(errc::invalid_response,
                at.doing + ": the next page is on another host, " + target->origin.authority());
  return target->text();
}

}  // namespace

awaitable<std::optional<std::string>> fetch_page_text(page_cursor_ptr at) {
  std::optional<std::string> text;
  if (at->next.empty()) co_return text;
  const bool names_one = at->seen.empty() && at->is_of_one;
  if (const auto valid = hub::check_repo_id(at->repo_id); names_one && !valid)
    throw error(valid.error(), "the repository id \"" + at->repo_id + "\"");
  if (!at->seen.insert(at->next).second)
    throw error(errc::invalid_response, at->doing + ": the pages lead in a circle");
  auto what = hub_request(*at->shared, http::method::get, at->next, at->token);
  for (const auto& [name, value] : at->headers) what.headers.set(name, value);
  auto calling = call(at->shared, std::move(what), at->doing);
  auto answer = co_await std::move(calling);
  at->next = next_url(*at, answer.head());
  text = co_await answer.read_all();
  co_return text;
}

}  // namespace cohub::transfer
