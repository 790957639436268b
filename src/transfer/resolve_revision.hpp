#pragma once

#include "cohub/download.hpp"

#include "transfer/context.hpp"

#include <string>

namespace cohub::transfer {

/// `client::resolve_revision` (hub-protocol, section 6.2).
awaitable<std::string> resolve_revision(context_ptr shared, std::string repo_id,
                                        resolve_revision_options options);

}  // namespace cohub::transfer
