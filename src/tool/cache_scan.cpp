#include "cache_scan.hpp"

#include "run_operation.hpp"

#include <utility>

namespace cohub::tool {

namespace {

awaitable<void> scan_into(client hub, std::shared_ptr<cache_info> info) {
  auto scanned = co_await hub.scan_cache_dir();
  *info = std::move(scanned);
}

}  // namespace

client_config cache_config(const std::string& cache_dir) {
  client_config config;
  config.cache_dir = cache_dir;
  return config;
}

int scan_cache(const std::string& cache_dir, std::shared_ptr<cache_info> info) {
  return run_operation(cache_config(cache_dir),
                       [info](client hub) { return scan_into(std::move(hub), info); });
}

}  // namespace cohub::tool
