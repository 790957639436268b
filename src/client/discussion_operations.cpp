#include "client/discussion_operations.hpp"

#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"

#include "hub/discussion_replies.hpp"
#include "hub/routes.hpp"
#include "transfer/api_call.hpp"
#include "transfer/paged_listing.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <memory>
#include <utility>

namespace cohub::repository {

using transfer::context_ptr;
using transfer::hub_request;
using transfer::require_repo_id;

namespace {

template <class... Members>
std::string json_body(Members&&... members) {
  boost::json::object body;
  (body.emplace(members.first, std::move(members.second)), ...);
  return boost::json::serialize(body);
}

/// As the Python client sends titles and descriptions (hub-protocol, section 6.5).
std::string stripped(const std::string& text) {
  constexpr const char* blanks = " \t\r\n\v\f";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// Discussions are paged by number, not by links.
struct discussion_cursor {
  context_ptr shared{};
  std::string repo_id{};
  get_repo_discussions_options options{};
  std::uint64_t page = 0;
  bool ended = false;
};

awaitable<std::optional<std::vector<discussion>>> next_page(std::shared_ptr<discussion_cursor> at) {
  std::optional<std::vector<discussion>> found;
  if (at->ended) co_return found;
  require_repo_id(at->repo_id);
  const auto& options = at->options;
  const auto url = hub::routes::discussions(at->shared->endpoint, options.type, at->repo_id) +
                   hub::routes::discussion_query(at->page++, options);
  const std::string doing = "listing the discussions of " + at->repo_id;
  auto what =
      hub_request(*at->shared, http::method::get, url, at->shared->token_for(options.token));
  auto page =
      co_await transfer::call_for(at->shared, std::move(what), doing, hub::read_discussions);
  const std::uint64_t size = page.discussions.size();
  at->ended = size == 0 || size >= page.count || page.start >= page.count - size;
  if (!at->ended && at->page >= transfer::most_pages)
    throw error(errc::invalid_response, doing + ": the pages have no end");
  found = std::move(page.discussions);
  co_return found;
}

std::string describe(const std::string& repo_id, std::uint64_t num) {
  return "discussion " + std::to_string(num) + " of " + repo_id;
}

discussion_change make_change(std::string resource, std::string key, std::string body,
                              repo_type type, std::optional<std::string> token) {
  return {std::move(resource), std::move(key), std::move(body), type, std::move(token)};
}

}  // namespace

listing<discussion> list_discussions(context_ptr shared, std::string repo_id,
                                     get_repo_discussions_options options) {
  auto at = std::make_shared<discussion_cursor>();
  at->shared = std::move(shared);
  at->repo_id = std::move(repo_id);
  at->options = std::move(options);
  return listing<discussion>([at = std::move(at)] { return detail::operation(next_page(at)); });
}

awaitable<discussion_with_details> get_discussion(context_ptr shared, std::string repo_id,
                                                  std::uint64_t num, discussion_options options) {
  require_repo_id(repo_id);
  const auto url = hub::routes::discussions(shared->endpoint, options.type, repo_id) + '/' +
                   std::to_string(num) + "?diff=1";
  const auto doing = "reading " + describe(repo_id, num);
  auto what = hub_request(*shared, http::method::get, url, shared->token_for(options.token));
  auto details = co_await transfer::call_for(shared, std::move(what), doing, hub::read_discussion);
  if (details.repo_id.empty()) {
    details.repo_id = repo_id;
    details.type = options.type;
  }
  co_return details;
}

awaitable<discussion_with_details> create_discussion(context_ptr shared, std::string repo_id,
                                                     std::string title,
                                                     create_discussion_options options) {
  require_repo_id(repo_id);
  const std::string kind = options.pull_request ? "Pull Request" : "Discussion";
  boost::json::object body;
  const auto description = stripped(options.description);
  body["title"] = stripped(title);
  body["description"] = description.empty() ? kind + " opened with cohub" : description;
  body["pullRequest"] = options.pull_request;
  const auto url = hub::routes::discussions(shared->endpoint, options.type, repo_id);
  const auto doing = "opening a discussion of " + repo_id;
  auto what = hub_request(*shared, http::method::post, url, shared->token_for(options.token),
                          boost::json::serialize(body));
  const auto number =
      co_await transfer::call_for(shared, std::move(what), doing, hub::read_discussion_number);
  discussion_options of;
  of.type = options.type;
  of.token = std::move(options.token);
  co_return co_await get_discussion(std::move(shared), std::move(repo_id), number, std::move(of));
}

awaitable<discussion_event> change_discussion(context_ptr shared, std::string repo_id,
                                              std::uint64_t num, discussion_change change) {
  require_repo_id(repo_id);
  const auto url = hub::routes::discussions(shared->endpoint, change.type, repo_id) + '/' +
                   std::to_string(num) + '/' + change.resource;
  const auto doing = "changing " + describe(repo_id, num);
  auto what = hub_request(*shared, http::method::post, url, shared->token_for(change.token),
                          std::move(change.body));
  const auto text = co_await transfer::call_for_text(shared, std::move(what), doing);
  auto event = hub::read_event(text, change.key);
  // The Hub tells of a merge in its own words: what counts is that it answered with success.
  if (!event && change.resource == "merge") {
    discussion_event merged;
    merged.type = "status-change";
    merged.new_status = "merged";
    co_return merged;
  }
  if (!event) throw error(event.error(), doing);
  co_return std::move(*event);
}

discussion_change comment_on(std::string comment, discussion_options options) {
  return make_change("comment", "newMessage", json_body(std::pair("comment", std::move(comment))),
                     options.type, std::move(options.token));
}

discussion_change edit_comment(const std::string& id, std::string content,
                               discussion_options options) {
  return make_change("comment/" + core::percent_encode(id) + "/edit", "updatedComment",
                     json_body(std::pair("content", std::move(content))), options.type,
                     std::move(options.token));
}

discussion_change hide_comment(const std::string& id, discussion_options options) {
  return make_change("comment/" + core::percent_encode(id) + "/hide", "updatedComment", "{}",
                     options.type, std::move(options.token));
}

discussion_change rename(std::string title, discussion_options options) {
  return make_change("title", "newTitle", json_body(std::pair("title", std::move(title))),
                     options.type, std::move(options.token));
}

discussion_change change_status(std::string status, change_discussion_status_options options) {
  boost::json::object body;
  body["status"] = status;
  if (!options.comment.empty()) body["comment"] = options.comment;
  return make_change("status", "newStatus", boost::json::serialize(body), options.type,
                     std::move(options.token));
}

discussion_change merge(merge_pull_request_options options) {
  boost::json::object body;
  if (!options.comment.empty()) body["comment"] = options.comment;
  return make_change("merge", "newStatus", boost::json::serialize(body), options.type,
                     std::move(options.token));
}

}  // namespace cohub::repository
