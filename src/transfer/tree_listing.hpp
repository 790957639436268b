#pragma once

#include "cohub/listing.hpp"
#include "cohub/repository.hpp"

#include "transfer/context.hpp"

#include <string>

namespace cohub::transfer {

/// `client::list_repo_tree`: pages follow the Link headers, within the endpoint's origin; a link
/// that repeats is errc::invalid_response.
listing<tree_entry> list_repo_tree(context_ptr shared, std::string repo_id,
                                   list_repo_tree_options options);

/// `client::repo_info`.
awaitable<repo_info> fetch_repo_info(context_ptr shared, std::string repo_id,
                                     repo_info_options options);

}  // namespace cohub::transfer
