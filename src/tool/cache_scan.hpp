#pragma once

#include "cohub/cache.hpp"
#include "cohub/client_config.hpp"

#include <memory>
#include <string>

namespace cohub::tool {

/// Settings of a client whose cache is `cache_dir`; empty: that of the environment.
client_config cache_config(const std::string& cache_dir);

/// Fills `info` with what the cache holds. Exit status.
int scan_cache(const std::string& cache_dir, std::shared_ptr<cache_info> info);

}  // namespace cohub::tool
