#pragma once

#include "cohub/awaitable.hpp"

#include "transfer/snapshot/snapshot_request.hpp"

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

/// Which of these files a folder lacks. Blocking.
std::vector<std::string> absent_of(const std::filesystem::path& folder,
                                   const std::vector<std::string>& paths,
                                   const std::stop_token& stop);

/// @throws error  errc::incomplete_snapshot, which names some of the files that are not there
[[noreturn]] void throw_incomplete(const snapshot_request& wanted,
                                   const std::vector<std::string>& names);

}  // namespace cohub::transfer
