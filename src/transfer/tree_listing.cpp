#include "transfer/tree_listing.hpp"

#include "cohub/error.hpp"

#include "hub/link_header.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_replies.hpp"
#include "hub/routes.hpp"
#include "transfer/api_call.hpp"

#include <memory>
#include <unordered_set>
#include <utility>

namespace cohub::transfer {

namespace {

/// Where a listing stands.
struct cursor {
  context_ptr shared;
  std::string token;
  std::string doing;
  std::string next;  // empty: the end
  std::unordered_set<std::string> seen;
};

using page = std::optional<std::vector<tree_entry>>;

/// The next page's url out of the answer's Link header. The token must not follow it to another
/// host.
std::string next_url(const cursor& at, const http::response_head& head) {
  const auto link = hub::link_target(head.headers.get("Link"), "next");
  if (!link) return {};
  const auto target = core::redirect_target(head.url, *link);
  if (!target) throw error(target.error(), at.doing + ": the link to the next page");
  if (target->origin != head.url.origin)
    throw error(errc::invalid_response,
                at.doing + ": the next page is on another host, " + target->origin.authority());
  return target->text();
}

awaitable<page> fetch_page(std::shared_ptr<cursor> at) {
  page entries;
  if (at->next.empty()) co_return entries;
  if (!at->seen.insert(at->next).second)
    throw error(errc::invalid_response, at->doing + ": the pages lead in a circle");
  auto what = hub_request(*at->shared, http::method::get, at->next, at->token);
  auto calling = call(at->shared, std::move(what), at->doing);
  auto answer = co_await std::move(calling);
  at->next = next_url(*at, answer.head());
  const auto text = co_await answer.read_all();
  auto read = hub::read_tree_page(text);
  if (!read) throw error(read.error(), at->doing);
  entries = std::move(*read);
  co_return entries;
}

void check(const std::string& repo_id) {
  if (const auto valid = hub::check_repo_id(repo_id); !valid)
    throw error(valid.error(), "the repository id \"" + repo_id + "\"");
}

awaitable<page> first_page(std::shared_ptr<cursor> at, std::string repo_id) {
  check(repo_id);
  auto fetching = fetch_page(std::move(at));
  auto entries = co_await std::move(fetching);
  co_return entries;
}

}  // namespace

listing<tree_entry> list_repo_tree(context_ptr shared, std::string repo_id,
                                   list_repo_tree_options options) {
  auto at = std::make_shared<cursor>();
  at->token = shared->token_for(options.token);
  at->doing = "listing the files of " + repo_id;
  at->next = hub::routes::tree(shared->endpoint, options.type, repo_id, options.revision,
                               options.path_in_repo, options.recursive);
  at->shared = std::move(shared);
  return listing<tree_entry>([at, repo_id = std::move(repo_id)]() -> awaitable<page> {
    return at->seen.empty() ? first_page(at, repo_id) : fetch_page(at);
  });
}

awaitable<repo_info> fetch_repo_info(context_ptr shared, std::string repo_id,
                                     repo_info_options options) {
  check(repo_id);
  const auto url = hub::routes::repo_info(shared->endpoint, options.type, repo_id, options.revision,
                                          options.files_metadata);
  auto what = hub_request(*shared, http::method::get, url, shared->token_for(options.token));
  const std::string doing = "reading about " + repo_id;
  const auto text = co_await call_for_text(shared, std::move(what), doing);
  auto info = hub::read_repo_info(text);
  if (!info) throw error(info.error(), doing);
  co_return std::move(*info);
}

}  // namespace cohub::transfer
