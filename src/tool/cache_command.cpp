#include "commands.hpp"

namespace cohub::tool {

void add_cache_command(CLI::App& app, int& status) {
  auto& cache = *app.add_subcommand("cache", "Look at the cache, check it, delete from it");
  cache.require_subcommand(1);
  add_cache_list_command(cache, status);
  add_cache_delete_commands(cache, status);
  add_cache_verify_command(cache, status);
}

}  // namespace cohub::tool
