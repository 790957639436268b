#pragma once

#include "transfer/download/content_fetch.hpp"

namespace cohub::transfer {

/// Fetches what the partial lacks in one stream; from the start, where the server knows no ranges.
awaitable<void> download_stream(fetch_ptr self);

}  // namespace cohub::transfer
