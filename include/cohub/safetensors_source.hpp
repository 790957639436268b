#pragma once

#include "cohub/commit.hpp"
#include "cohub/safetensors.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <vector>

namespace cohub {

/// A safetensors file as the content of an addition, which is on no disk before: tensors are
/// produced in the order of the file, each when its turn comes, while what came before is hashed
/// and spooled. Memory: the header and a few pieces.
///
/// Content that is bytes, and what producing functions refer to, must outlive the commit. Those
/// functions run on a thread of the source's own, one at a time; what they throw ends the commit.
/// @param pool  waits for pieces: `client::blocking_executor`
/// @throws error  errc::invalid_argument: what `save_safetensors` throws; of contents when they
/// come
std::shared_ptr<upload_source> safetensors_source(asio::any_io_executor pool,
                                                  std::vector<tensor_source> tensors,
                                                  named<save_safetensors_options> options = {});

}  // namespace cohub
