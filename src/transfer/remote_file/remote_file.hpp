#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/remote_file.hpp"

#include "transfer/context.hpp"

#include <string>

namespace cohub::transfer {

/// `client::open_file`.
awaitable<remote_file> open_file(context_ptr shared, std::string repo_id, std::string path,
                                 open_file_options options);

/// `client::read_file`.
awaitable<std::string> read_file(context_ptr shared, std::string repo_id, std::string path,
                                 read_file_options options);

}  // namespace cohub::transfer
