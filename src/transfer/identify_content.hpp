#pragma once

#include "cohub/awaitable.hpp"

#include "transfer/commit_in_progress.hpp"
#include "transfer/context.hpp"

#include <cstddef>

namespace cohub::transfer {

/// Computes what identifies the content of an addition, where it is needed, and notes whether the
/// Hub has it under that path: `planned_add::unchanged`.
/// @param index  of the addition
/// @return whether it is a large one that the Hub is to be asked for
awaitable<bool> identify_content(context_ptr shared, commit_ptr commit, std::size_t index);

}  // namespace cohub::transfer
