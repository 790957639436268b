#pragma once

#include "cohub/awaitable.hpp"

#include "transfer/context.hpp"
#include "transfer/upload/commit_in_progress.hpp"
#include "transfer/upload/upload_content.hpp"

#include <cstddef>
#include <string>

namespace cohub::transfer {

/// Computes what identifies the content of an addition, where it is needed, and notes whether the
/// Hub has it under that path: `planned_add::unchanged`.
/// @param index  of the addition
/// @return whether it is a large one that the Hub is to be asked for
awaitable<bool> identify_content(context_ptr shared, commit_ptr commit, std::size_t index);

/// Whether a large file is still what its hash names. Of one that has grown meanwhile only its
/// bytes tell: it may have been written anew.
/// @param path  in the repository, for the error
/// @throws error  errc::content_mismatch
awaitable<void> require_same(context_ptr shared, upload_content_ptr content, std::string path,
                             std::string sha256);

}  // namespace cohub::transfer
