#pragma once

#include "cohub/cache.hpp"

#include "transfer/context.hpp"

/// Operations of `client` on the cache; see there.
namespace cohub::cache_operations {

awaitable<cache_info> scan(transfer::context_ptr shared, scan_cache_dir_options options);
awaitable<delete_cache_result> execute(transfer::context_ptr shared,
                                       delete_cache_strategy strategy);

}  // namespace cohub::cache_operations
