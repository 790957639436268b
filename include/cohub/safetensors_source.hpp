#pragma once

#include "cohub/commit.hpp"
#include "cohub/safetensors.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <vector>

namespace cohub {

/// A safetensors file as the content of an addition, which is on no disk before: tensors are
/// produced in the order of the file, each when its turn comes, and hashed and spooled as they
/// come. Memory: the header and one piece; of who calls `read` himself, one tensor that a function
/// produces.
///
/// Content that is bytes, and what producing functions refer to, must outlive the commit. Those
/// functions run on `pool`, one at a time, one job each, and are not interrupted: a commit that is
/// cancelled ends after the one that runs. What they throw ends the commit.
/// @param pool  `client::blocking_executor`
/// @throws error  errc::invalid_argument: what `save_safetensors` throws; of contents when they
///                come
std::shared_ptr<upload_source> safetensors_source(asio::any_io_executor pool,
                                                  std::vector<tensor_source> tensors,
                                                  named<save_safetensors_options> options = {});

}  // namespace cohub
