#include "transfer/tree_listing.hpp"

#include "cohub/error.hpp"

#include "hub/repo_replies.hpp"
#include "hub/routes.hpp"
#include "transfer/api_call.hpp"
#include "transfer/paged_listing.hpp"

#include <utility>

namespace cohub::transfer {

namespace {

/// The client's Hub, with a token of the call's own.
hub_access access_with(const context& shared, const std::optional<std::string>& token) {
  hub_access_options own;
  own.token = token;
  return make_hub_access(shared, std::move(own));
}

}  // namespace

listing<tree_entry> list_repo_tree(context_ptr shared, std::string repo_id,
                                   list_repo_tree_options options) {
  auto access = access_with(*shared, options.token);
  return list_repo_tree(std::move(shared), std::move(access), std::move(repo_id),
                        std::move(options));
}

listing<tree_entry> list_repo_tree(context_ptr shared, hub_access access, std::string repo_id,
                                   list_repo_tree_options options) {
  page_cursor at;
  at.doing = "listing the files of " + repo_id;
  at.next = hub::routes::tree(access.endpoint, options.type, repo_id, options.revision,
                              options.path_in_repo, options.recursive, options.expand);
  at.token = std::move(access.token);
  at.headers = std::move(access.headers);
  at.repo_id = std::move(repo_id);
  at.shared = std::move(shared);
  return paged_listing<tree_entry>(std::move(at), hub::read_tree_page);
}

awaitable<repo_info> fetch_repo_info(context_ptr shared, std::string repo_id,
                                     repo_info_options options) {
  auto access = access_with(*shared, options.token);
  return fetch_repo_info(std::move(shared), std::move(access), std::move(repo_id),
                         std::move(options));
}

awaitable<repo_info> fetch_repo_info(context_ptr shared, hub_access access, std::string repo_id,
                                     repo_info_options options, std::chrono::milliseconds limit,
                                     bool retry) {
  require_repo_id(repo_id);
  if ((options.files_metadata || options.security_status) && !options.expand.empty())
    throw error(errc::invalid_argument, "expand excludes files_metadata and security_status");
  const auto url =
      hub::routes::repo_info(access.endpoint, options.type, repo_id, options.revision,
                             options.files_metadata, options.expand, options.security_status);
  auto what = hub_request(*shared, access, http::method::get, url);
  what.limit = limit;
  what.retry = retry;
  const std::string doing = "reading about " + repo_id;
  co_return co_await call_for(shared, std::move(what), doing, hub::read_repo_info);
}

}  // namespace cohub::transfer
