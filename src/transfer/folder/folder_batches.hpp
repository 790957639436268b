#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/commit.hpp"
#include "cohub/error.hpp"

#include "io/file_identity.hpp"
#include "transfer/folder/folder_run.hpp"
#include "transfer/upload/commit_in_progress.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// The first half of `upload_large_folder`: batches of files become prepared commits.
namespace cohub::transfer {

/// How often files that change are opened, before they are left out.
inline constexpr std::size_t most_openings = 3;

/// A file that was listed, as it is now; nothing where it is gone, of which the listener is warned.
/// Blocking: for the pool.
std::optional<io::file_identity> find_listed_file(const folder_run& run,
                                                  const std::filesystem::path& path,
                                                  const std::string& relative);

/// Whether a file was changed or deleted after the commit was begun, which begun anew may succeed.
bool is_disturbed(const error& failure);

/// Opens files, and sends the large ones. Those that are changed or deleted meanwhile are looked at
/// again, and in the end left out.
/// @param earlier  an earlier try of theirs; may be null
awaitable<commit_ptr> prepare_files(folder_run_ptr run, std::vector<commit_operation> operations,
                                    commit_ptr earlier);

/// Hands over one prepared commit after the other, until no file is left. The last of all preparers
/// closes the queue.
awaitable<void> prepare_commits(folder_run_ptr run);

}  // namespace cohub::transfer
