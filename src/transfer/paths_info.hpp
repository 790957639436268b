#pragma once

#include "cohub/repository.hpp"

#include "transfer/context.hpp"

#include <string>
#include <vector>

namespace cohub::transfer {

/// `client::get_paths_info`.
awaitable<std::vector<tree_entry>> get_paths_info(context_ptr shared, std::string repo_id,
                                                  std::vector<std::string> paths,
                                                  get_paths_info_options options);

}  // namespace cohub::transfer
