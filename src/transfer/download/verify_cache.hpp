#pragma once

#include "cohub/cache.hpp"

#include "transfer/context.hpp"

#include <string>

namespace cohub::transfer {

/// `client::verify_repo_checksums`.
awaitable<folder_verification> verify_repo_checksums(context_ptr shared, std::string repo_id,
                                                     verify_repo_checksums_options options);

}  // namespace cohub::transfer
