#pragma once

#include "cohub/access_request.hpp"
#include "cohub/listing.hpp"

#include "transfer/context.hpp"

#include <string>

/// Operations of `client` on who may see a gated repository; see there.
namespace cohub::repository {

/// @param status  "pending", "accepted" or "rejected"
listing<access_request> list_access_requests(transfer::context_ptr shared, std::string repo_id,
                                             const std::string& status,
                                             access_request_options options);
/// @param status  empty: access is granted to who did not ask
awaitable<void> handle_access_request(transfer::context_ptr shared, std::string repo_id,
                                      std::string user, std::string status,
                                      reject_access_request_options options);

}  // namespace cohub::repository
