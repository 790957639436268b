#include "client/access_operations.hpp"

#include "hub/access_replies.hpp"
#include "hub/routes.hpp"
#include "transfer/api_call.hpp"
#include "transfer/paged_listing.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace cohub::repository {

using transfer::context_ptr;
using transfer::hub_request;

listing<access_request> list_access_requests(context_ptr shared, std::string repo_id,
                                             const std::string& status,
                                             access_request_options options) {
  transfer::page_cursor at;
  at.next = hub::routes::access_requests(shared->endpoint, options.type, repo_id) + '/' + status;
  at.token = shared->token_for(options.token);
  at.doing = "listing the access requests of " + repo_id;
  at.repo_id = std::move(repo_id);
  at.shared = std::move(shared);
  return transfer::paged_listing<access_request>(std::move(at), hub::read_access_requests);
}

awaitable<void> handle_access_request(context_ptr shared, std::string repo_id, std::string user,
                                      std::string status, reject_access_request_options options) {
  transfer::require_repo_id(repo_id);
  boost::json::object body;
  body["user"] = user;
  if (!status.empty()) body["status"] = status;
  if (!options.rejection_reason.empty()) body["rejectionReason"] = options.rejection_reason;
  const auto url = hub::routes::access_requests(shared->endpoint, options.type, repo_id) +
                   (status.empty() ? "/grant" : "/handle");
  auto what = hub_request(*shared, http::method::post, url, shared->token_for(options.token),
                          boost::json::serialize(body));
  co_await transfer::call_for_nothing(shared, std::move(what),
                                      "deciding on the access of " + user + " to " + repo_id);
}

}  // namespace cohub::repository
