#pragma once

#include "transfer/upload/commit_in_progress.hpp"

namespace cohub::transfer {

/// Hashes what is large, drops what the Hub has under the same path, and sends the rest: batch, PUT
/// of the whole or of parts, completion, verify (hub-protocol, section 7.3). Hashing, asking and
/// sending go on at the same time, each file as soon as it can; regular files that the Hub has a
/// version of are hashed, too, to find those that are unchanged.
/// @throws error  what the Hub or the store says of an object; errc::invalid_response for an
///                incomplete answer; errc::content_mismatch: a file changed meanwhile
awaitable<void> upload_large_files(context_ptr shared, commit_ptr commit);

}  // namespace cohub::transfer
