#pragma once

#include "cohub/commit.hpp"

#include "transfer/context.hpp"
#include "transfer/upload/upload_content.hpp"

#include <memory>

namespace cohub::transfer {

/// Reads a source to its end into an unnamed file; the sha256 is known when it is through. Memory:
/// one piece.
/// @throws error  of the disk; what the source throws
awaitable<upload_content_ptr> spool(context_ptr shared, std::shared_ptr<upload_source> source);

}  // namespace cohub::transfer
