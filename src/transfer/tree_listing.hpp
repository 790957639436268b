#pragma once

#include "cohub/listing.hpp"
#include "cohub/repository.hpp"

#include "transfer/context.hpp"
#include "transfer/hub_access.hpp"

#include <chrono>
#include <string>

namespace cohub::transfer {

/// `client::list_repo_tree`: pages follow the Link headers, within the endpoint's origin; a link
/// that repeats is errc::invalid_response.
listing<tree_entry> list_repo_tree(context_ptr shared, std::string repo_id,
                                   list_repo_tree_options options);

/// The same of the Hub that the call goes to, whatever the options say of a token.
listing<tree_entry> list_repo_tree(context_ptr shared, hub_access access, std::string repo_id,
                                   list_repo_tree_options options);

/// `client::repo_info`.
awaitable<repo_info> fetch_repo_info(context_ptr shared, std::string repo_id,
                                     repo_info_options options);

/// The same of the Hub that the call goes to, whatever the options say of a token. Without `retry`
/// it is asked once, whatever the policy says; `limit` is that of `http::request`.
awaitable<repo_info> fetch_repo_info(context_ptr shared, hub_access access, std::string repo_id,
                                     repo_info_options options,
                                     std::chrono::milliseconds limit = {}, bool retry = true);

}  // namespace cohub::transfer
