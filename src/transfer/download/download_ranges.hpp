#pragma once

#include "transfer/download/content_fetch.hpp"

namespace cohub::transfer {

/// How a download in ranges ended.
enum class ranges_outcome {
  complete,
  ignored  ///< the server sends the whole content whatever range is asked for
};

/// Fetches what the partial lacks in parallel ranges, while the checksum follows the front.
awaitable<ranges_outcome> download_ranges(fetch_ptr self);

/// Digests what is on disk and has not been digested yet.
awaitable<void> catch_up_digest(fetch_ptr self);

}  // namespace cohub::transfer
