#include "client/cache_operations.hpp"

#include "cache/deletion.hpp"
#include "cache/scan.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"

#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

namespace cohub::cache_operations {

namespace {

/// Repositories looked into at a time.
constexpr std::size_t scans_at_once = 4;

}  // namespace

awaitable<cache_info> scan(transfer::context_ptr shared, scan_cache_dir_options options) {
  const auto folder = shared->cache_for(options.cache_dir);
  auto looking = [folder] { return cache::scan_root(folder); };
  auto found = co_await io::on_pool(shared->pool, std::move(looking));
  const auto root = std::make_shared<cache::cache_root>(std::move(found));
  const auto scans = std::make_shared<std::vector<cache::repo_scan>>(root->folders.size());
  auto task = [shared, root, scans](std::size_t index) {
    auto work = [root, scans, index](std::stop_token stop) {
      (*scans)[index] = cache::scan_repo(root->folders[index], stop);
    };
    return io::on_pool(shared->pool, std::move(work));
  };
  co_await io::for_each_bounded(scans->size(), scans_at_once, std::move(task));
  co_return cache::join_scans(std::move(*root), std::move(*scans));
}

awaitable<delete_cache_result> execute(transfer::context_ptr shared,
                                       delete_cache_strategy strategy) {
  const auto plan = std::make_shared<const delete_cache_strategy>(std::move(strategy));
  auto beginning = [plan] { return std::make_shared<cache::deletion>(*plan); };
  const auto running = co_await io::on_pool(shared->pool, std::move(beginning));
  for (bool more = true; more;) {
    auto piece = [running] { return running->step(); };
    more = co_await io::on_pool(shared->pool, std::move(piece));
  }
  co_return running->result();
}

}  // namespace cohub::cache_operations
