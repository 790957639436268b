#pragma once

#include "cohub/awaitable.hpp"

#include "cache/tree_reader.hpp"
#include "transfer/snapshot/snapshot_request.hpp"

#include <cstddef>
#include <exception>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// What is there of a snapshot, for when the Hub cannot be asked for it (hub-protocol,
/// section 5.4).
namespace cohub::transfer {

/// The folder, or why there is none.
struct local_snapshot {
  std::optional<std::filesystem::path> folder{};
  std::exception_ptr failure{};
};

/// Looks for a folder to give out in place of an answer; who asked is told of it.
/// @param failure  of the question; what is thrown on where there is none says so
awaitable<local_snapshot> look_for_local(snapshot_ptr wanted, std::exception_ptr failure);

/// Files of a listing that are not there.
struct absent_files {
  std::size_t count = 0;
  std::vector<std::string> some{};  ///< a few of them
};

/// Which of the files that the patterns keep a folder lacks. Blocking.
/// @param listing  is read from its beginning
/// @throws error  of the listing
absent_files absent_of(const snapshot_request& wanted, const std::filesystem::path& folder,
                       cache::tree_reader& listing, const std::stop_token& stop);

/// @throws error  errc::incomplete_snapshot, which names some of the files that are not there
[[noreturn]] void throw_incomplete(const snapshot_request& wanted, const absent_files& absent);

}  // namespace cohub::transfer
