#pragma once

#include "cohub/error.hpp"

#include "hub/lfs_batch.hpp"
#include "transfer/upload/commit_in_progress.hpp"
#include "transfer/upload/object_upload.hpp"

#include <exception>
#include <memory>
#include <string>
#include <vector>

/// The requests that bring a large object to the store (hub-protocol, section 7.3).
namespace cohub::transfer {

using object_ptr = std::shared_ptr<object_upload>;

/// Asks the Hub in one request where objects are to go.
awaitable<std::vector<hub::lfs_batch_answer>> ask_batch(context_ptr shared, commit_ptr commit,
                                                        std::vector<hub::lfs_object> objects);

/// The error for the objects that the Hub refuses, with what it says of each, classified as if it
/// had answered so to the whole request.
/// @param path     of the first
/// @param refused  not empty
error refusal_of(const context& shared, const commit_in_progress& commit, const std::string& path,
                 const std::vector<hub::lfs_batch_answer>& refused);

/// What became of a request that a store may refuse because its address is not good any more.
struct store_answer {
  std::string etag{};
  std::exception_ptr refusal{};  ///< null: done
  int status = 0;
};

/// Sends a piece to the store. @throws error  what is no refusal
awaitable<store_answer> put_piece(context_ptr shared, object_ptr object,
                                  object_upload::piece piece);

/// Has the store make the object of its parts. A store that still waits for the end of an earlier
/// try (409) is asked again.
awaitable<store_answer> complete_parts(context_ptr shared, object_ptr object);

/// Has the Hub check that the object is there.
/// @throws error  it is not
awaitable<void> verify_object(context_ptr shared, commit_ptr commit, object_ptr object);

}  // namespace cohub::transfer
