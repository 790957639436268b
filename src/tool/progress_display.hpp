#pragma once

#include "cohub/observer.hpp"

#include <memory>

namespace cohub::tool {

/// Shows transfers on standard error: a bar for each large file and a total on a terminal, else a
/// plain line now and then; without `progress`, and where `HF_HUB_DISABLE_PROGRESS_BARS` is true,
/// only what happens besides. May be called from any thread.
std::shared_ptr<observer> make_progress_display(bool progress = true);

/// Tells on standard error no more than what nobody may miss, whatever the output is for. May be
/// called from any thread.
std::shared_ptr<observer> make_warning_display();

}  // namespace cohub::tool
