#pragma once

#include "cohub/awaitable.hpp"

#include "cache/file_lock.hpp"
#include "io/fair_semaphore.hpp"
#include "transfer/download/file_request.hpp"
#include "transfer/single_flight.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

/// What goes before the download of a file, wherever it goes: one download for all who ask for it
/// now, a turn, a lock, and order in the folders.
namespace cohub::transfer {

/// Does `start`, or joins whoever does the same at this moment: fetching this content to
/// `destination` from the same Hub, with the same token and headers.
awaitable<void> fetch_once(file_request_ptr file, std::filesystem::path destination,
                           std::string etag, single_flight::work start);

/// The right to download a file, as long as the object lives.
struct download_claim {
  io::fair_semaphore::permit turn{};  ///< among the files that are downloaded at once
  cache::file_lock lock{};
};

/// Waits for a turn, and then for the lock on what is to be downloaded; who waits long for another
/// process hears of it. The holder of a claim must not ask for another.
awaitable<download_claim> claim(file_request_ptr file, std::filesystem::path lock,
                                std::shared_ptr<cohub::observer> observer);

/// Removes what killed processes left in `folders`; each is looked at once by a client.
awaitable<void> sweep(context_ptr shared, std::vector<std::filesystem::path> folders);

}  // namespace cohub::transfer
